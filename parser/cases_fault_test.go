package parser_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/parser"
)

type misspelt struct {
	ID    string `dynorm:"id,primray"`
	Email string `dynorm:",unqiue,Omitempty"`
	Name  string `dynorm:"name, omitempty"`
	Other string `dynorm:",frobnicate"`
	Set   string `dynorm:"set"`
	Key   string `dynorm:"primary"`
	City  string `dynorm:"default=x"`
	Typo  string `dynrom:"typo"`
	rel   string `rel:"belongsTo"`
	Two   string `dynorm:",required=yes,default"`
	Three string `dynorm:",default="`
}

// malformed is built at run time: go vet refuses some of its tags as well.
var malformed = reflect.New(reflect.StructOf([]reflect.StructField{
	tagged("ID", `dynorm:id`),
	tagged("Name", `dynorm:"a" dynorm:"b"`),
	tagged("Smart", `dynorm:“x”`),
	tagged("Foreign", `json:oops`),
	tagged("Twice", `dynorm:",omitempty,omitempty"`),
	tagged("Empty", `dynorm:"a2,,omitempty"`),
	tagged("Comma", `dynorm:"a3,"`),
	tagged("Quote", `dynorm:",default='open"`),
	tagged("Behind", `dynorm:",default='a'b,omitempty"`),
	tagged("Dash", `dynorm:"-,omitempty"`),
	tagged("Twins", `dynorm:",ulid,uuid"`),
})).Interface()

func tagged(name, tag string) reflect.StructField {
	return reflect.StructField{Name: name, Type: reflect.TypeFor[string](), Tag: reflect.StructTag(tag)}
}

type contradictory struct {
	ID      string    `dynorm:",primary,omitempty,unique"`
	Gen     string    `dynorm:",ulid,default=x"`
	Secret  string    `dynorm:",encrypt,index"`
	Version int       `dynorm:",version,default=1,string"`
	Made    time.Time `dynorm:",created,updated"`
	Expires time.Time `dynorm:",ttl,unixmilli"`
	Tags    []string  `dynorm:",set,null,json"`
	Null    *string   `dynorm:",null,omitempty,required"`
	At      time.Time `dynorm:",unixtime,precision=ms"`
	Both    time.Time `dynorm:",unixtime,unixmilli"`
}

type misfits struct {
	ID      *string           `dynorm:",primary"`
	Gen     int               `dynorm:",ulid"`
	Bytes   [15]byte          `dynorm:",uuid"`
	List    []string          `dynorm:",unique"`
	Map     map[string]string `dynorm:",index"`
	Version string            `dynorm:",version"`
	Made    string            `dynorm:",created"`
	Changed int64             `dynorm:",updated"`
	Gone    bool              `dynorm:",deleted"`
	Expires int16             `dynorm:",ttl"`
	Set     string            `dynorm:",set"`
	Bools   []bool            `dynorm:",set"`
	Array   [2]string         `dynorm:",set"`
	Points  []*string         `dynorm:",set"`
	Counts  map[string]int    `dynorm:",set"`
	Null    string            `dynorm:",null"`
	Unix    int64             `dynorm:",unixtime"`
	Milli   string            `dynorm:",unixmilli"`
	Prec    string            `dynorm:",precision=ms"`
	Text    bool              `dynorm:",string"`
	Pad     float64           `dynorm:",pad=4"`
	Slot    string            `dynorm:",gsi=1"`
}

type badValues struct {
	ID       string
	Slot     string       `dynorm:",index,gsi=21"`
	Zero     string       `dynorm:",index,gsi=0"`
	Pad      int          `dynorm:",pad=21"`
	Wide     int          `dynorm:",pad=x"`
	Prec     time.Time    `dynorm:",precision=minutes"`
	Int      int8         `dynorm:",default=128"`
	Uint     uint         `dynorm:",default=-1"`
	Float    float64      `dynorm:",default=NaN"`
	Bool     bool         `dynorm:",default=yes"`
	Time     time.Time    `dynorm:",default=today"`
	List     []string     `dynorm:",default=a"`
	Enum     string       `dynorm:",enum=open|paid,default=opne"`
	Twice    string       `dynorm:",enum=a|b|a"`
	Gap      string       `dynorm:",enum=a||b"`
	IntEnum  int          `dynorm:",enum=1|two"`
	BoolEnum bool         `dynorm:",enum=true"`
	Color    strictColour `dynorm:",default=mauve"`
	Whole    big.Int      `dynorm:",default=1.5"`
	Number   json.Number  `dynorm:",default=1e"`
}

type strictColour struct{ name string }

func (c strictColour) MarshalText() ([]byte, error) { return []byte(c.name), nil }

func (c *strictColour) UnmarshalText(text []byte) error {
	if c.name = string(text); c.name != "red" {
		return fmt.Errorf("unknown colour %s", text)
	}
	return nil
}

type unstorable struct {
	ID        string
	Chan      chan int
	Func      func() error
	Complex   complex128
	Unsafe    unsafe.Pointer
	Uintptr   uintptr
	Double    **string
	ToAny     *any
	Stringer  fmt.Stringer
	Chans     []chan int
	MapKey    map[float64]string
	StructKey map[point]string
	PtrKey    map[*string]int
	KeyMethod map[pointerText]string
	Mutex     sync.Mutex
	InJSON    func() `dynorm:",json"`
	Nested    struct {
		OK   string
		Deep []struct{ Ch chan int }
	}
}

type pointerText struct{ V int }

func (p *pointerText) MarshalText() ([]byte, error) { return nil, nil }
func (p *pointerText) UnmarshalText([]byte) error   { return nil }

type onlyUnmarshal string

func (o *onlyUnmarshal) UnmarshalText([]byte) error { return nil }

type onlyBinary struct{ A int }

func (o onlyBinary) MarshalBinary() ([]byte, error) { return nil, nil }

type onlyAV struct{ A int }

func (o onlyAV) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) { return nil, nil }

type halfMethods struct {
	ID     string
	Text   halfText
	Back   onlyUnmarshal
	Binary []onlyBinary
	AV     map[string]onlyAV
}

type badSDK struct {
	ID    string   `dynamodbav:",omitemptyelem"`
	Name  string   `dynamodbav:"name,nullempty"`
	Names []string `dynamodbav:"names,numberset"`
	Nulls []string `dynamodbav:"nulls,nullemptyelem"`
	Bools []bool   `dynamodbav:"bools,stringset"`
}

type misplaced struct {
	ID      string `pk:"USER#{ID}" sk:"USER#{ID}"`
	When    string `when:"Active"`
	private string `dynorm:"private"`
	_       string `dynorm:"blank"`
	other   *user  `rel:"belongsTo"`
	Stored  *user  `rel:"belongsTo" dynorm:"stored"`
	Left    `dynorm:",omitempty"`
	audit   `dynamodbav:"audit"`
	base    `dynorm:"base"`
	fmt.Stringer
}

var tagFaultCases = []goldenCase{
	{name: "fault-misspelt", why: "Unknown options and names, with the nearest right word.", fails: true, types: structs(misspelt{})},
	{name: "fault-malformed", why: "Tags that can't be read; those of others are none of our business.", fails: true, types: structs(malformed)},
	{name: "fault-contradictions", why: "Options that can't stand together.", fails: true, types: structs(contradictory{})},
	{name: "fault-misfits", why: "Options that do not fit the field's type.", fails: true, types: structs(misfits{})},
	{name: "fault-values", why: "Values of options that are out of range or not of the field's type.", fails: true, types: structs(badValues{})},
	{name: "fault-types", why: "Types that can't be stored, nested ones at their path.", fails: true, types: structs(unstorable{})},
	{name: "fault-methods", why: "Half a pair of methods would lose values.", fails: true, types: structs(halfMethods{})},
	{name: "fault-dynamodbav", why: "Options of the SDK's tags that would store other data here.", fails: true, types: structs(badSDK{})},
	{name: "fault-misplaced", why: "Tags on fields that can't have them.", fails: true, types: structs(misplaced{})},
}

type Other struct {
	ID   string
	Name string `dynorm:"name"`
	Both string
}

type ambiguous struct {
	Left
	Other
}

type Diamond1 struct{ Deeper }

type Diamond2 struct{ Deeper }

type diamond struct {
	ID string
	Diamond1
	*Diamond2
}

type hiddenPointer struct {
	ID string
	*unexported
}

type sameAttribute struct {
	ID   string
	A    string `dynorm:"B"`
	B    string `dynorm:"b"`
	C    string `dynorm:"d"`
	D    string
	Rev  int `dynorm:",version"`
	Rev2 int `dynorm:"_v"`
}

type noKey struct {
	_    parser.EntityMarker `dynorm:"NoKey"`
	Name string
}

type nothing struct {
	hidden string
}

type twoKeys struct {
	ID string `dynorm:",primary"`
	No string `dynorm:",primary"`
	V1 int    `dynorm:",version"`
	V2 int    `dynorm:",version"`
	T1 int64  `dynorm:",ttl"`
	T2 int64  `dynorm:",ttl"`
}

type halfKey struct {
	_  parser.KeyMarker `pk:"A#{ID}"`
	ID string
}

type otherHalfKey struct {
	_  parser.KeyMarker `sk:"A#{ID}" dynorm:"key"`
	_  parser.KeyMarker `pk:"A#{ID}" sk:"B"`
	ID string
}

type badTemplates struct {
	_ parser.KeyMarker   `pk:"USER#{Usr}#{" sk:"{}"`
	_ parser.IndexMarker `dynorm:"a" pk:"{Usre}" sk:"{Home.Stret}#{Home}#{User.Name}"`
	_ parser.IndexMarker `dynorm:"b" pk:"{Tags}" sk:"{Meta}#{Any}#{Secret}"`
	_ parser.IndexMarker `dynorm:"c" pk:"{Doc}#{Doc.Street}" sk:"{Home.Geo.X}#{User|lowr}"`

	User   string `dynorm:"user,primary"`
	Home   address
	Tags   []string `dynorm:",set"`
	Meta   map[string]string
	Any    any
	Secret string  `dynorm:",encrypt"`
	Doc    address `dynorm:",json"`
}

type changingKey struct {
	_         parser.EntityMarker `dynorm:"Changing,timestamps,versioned"`
	_         parser.KeyMarker    `pk:"A#{ID}" sk:"{UpdatedAt}#{Version}"`
	ID        string
	UpdatedAt time.Time
	Version   int
}

type badConditions struct {
	_ parser.IndexMarker `dynorm:"a" pk:"A" when:"Statsu!=done"`
	_ parser.IndexMarker `dynorm:"b" pk:"A" when:"Status=dome|open"`
	_ parser.IndexMarker `dynorm:"c" pk:"A" when:"Status>3"`
	_ parser.IndexMarker `dynorm:"d" pk:"A" when:"Count>x"`
	_ parser.IndexMarker `dynorm:"e" pk:"A" when:"Count=many,Active=maybe"`
	_ parser.IndexMarker `dynorm:"f" pk:"A" when:"Status=open & Active"`
	_ parser.IndexMarker `dynorm:"g" pk:"A" when:"Status=="`
	_ parser.IndexMarker `dynorm:"h" pk:"A" when:"Tags,Data=x"`
	_ parser.IndexMarker `dynorm:"i" pk:"A" when:""`
	_ parser.IndexMarker `dynorm:"j" pk:"A" when:"Status='open"`
	_ parser.IndexMarker `dynorm:"k" pk:"A" when:"Status=open|open"`

	ID     string
	Status string `dynorm:",enum=open|paid|done"`
	Count  int
	Active bool
	Tags   []string
	Data   []byte
}

type badIndexes struct {
	_ parser.IndexMarker `pk:"A#{City}"`
	_ parser.IndexMarker `dynorm:"by city" pk:"A#{City}"`
	_ parser.IndexMarker `dynorm:"twice" pk:"A#{City}"`
	_ parser.IndexMarker `dynorm:"twice" pk:"B#{City}"`
	_ parser.IndexMarker `dynorm:"noKey"`
	_ parser.IndexMarker `dynorm:"local,lsi,gsi=2" pk:"A#{City}"`
	_ parser.IndexMarker `dynorm:"unknown,nativ,gsi=x" pk:"{City}"`
	_ parser.IndexMarker `dynorm:"templates,native" pk:"{City}" sk:"A#{Name}"`
	_ parser.IndexMarker `dynorm:"many,native" pk:"City,Name,A,B,C" sk:"City,Cty,,Flag,Tags,Secret,A,A"`
	_ parser.IndexMarker `dynorm:"local2,lsi,native" sk:"A,B"`
	_ parser.IndexMarker `dynorm:"projects,project=City|Nmae|City|" pk:"{City}"`
	_ parser.IndexMarker `dynorm:"projects2,project=key" pk:"{City}"`
	_ parser.IndexMarker `dynorm:"empty" pk:"" sk:"{City}"`

	ID      string
	City    string
	Name    string
	A, B, C string
	Flag    bool
	Tags    []string
	Secret  string `dynorm:",encrypt"`
}

type badUniques struct {
	_     parser.UniqueMarker
	_     parser.UniqueMarker `dynorm:"Email,Nmae"`
	_     parser.UniqueMarker `dynorm:"Name,name"`
	_     parser.UniqueMarker `dynorm:"Tags,ID"`
	_     parser.UniqueMarker `dynorm:"Email"`
	_     parser.UniqueMarker `dynorm:"Name,ID" pk:"x"`
	_     parser.UniqueMarker `dynorm:"name,id"`
	ID    string
	Name  string
	Email string `dynorm:",unique"`
	Tags  []string
}

type slots struct {
	_    parser.IndexMarker `dynorm:"one,gsi=1" pk:"A"`
	ID   string
	City string `dynorm:",index,gsi=1"`
	Zip  string `dynorm:",index,gsi=2"`
	// UserID is the foreign key of User.
	UserID string
	User   *user `rel:"belongsTo,gsi=2"`
}

type badEntity struct {
	_  parser.EntityMarker `dynorm:"Bad Name,prefix=A B,timestamp,list=0,ttl=30x,softdelete,softdelete" sk:"x"`
	_  parser.EntityMarker `dynorm:"Second"`
	ID string
}

type badTraits struct {
	_         parser.EntityMarker `dynorm:"Traits,timestamps,softdelete,versioned,ttl=1h"`
	ID        string
	CreatedAt string
	Changed   time.Time `dynorm:"updatedAt"`
	DeletedAt bool
	TTL       int64
	Version   string
}

type nestedOptions struct {
	ID    string
	Lines []struct {
		SKU   string `dynorm:",primray"`
		Qty   int    `dynorm:",version,omitempty"`
		Stamp string `dynorm:",unixtime"`
		User  *user  `rel:"belongsTo"`
		_     parser.IndexMarker
		Inner struct {
			Gone time.Time `dynorm:",deleted"`
		}
	}
}

type badRelations struct {
	ID       string
	UserID   string
	A        *user   `rel:"belongTo"`
	B        []*user `rel:"belongsTo"`
	C        *user   `rel:"hasMany"`
	D        string  `rel:"hasOne"`
	E        *user   `rel:"morphTo"`
	F        *user   `rel:"belongsTo=User"`
	G        []*user `rel:"hasManyThrough"`
	H        []*user `rel:"hasManyThrough=User,through=User"`
	I        *user   `rel:"belongsTo,foreign=UserID,cascade,through=User"`
	J        []*user `rel:"hasMany,gsi=1,foriegn=X"`
	K        *user   `rel:"belongsTo,foreign=UserID,collection,gsi=3"`
	L        *user   `rel:"belongsTo,foreign="`
	M        *user   `rel:""`
	N        []*user `rel:"morphMany,foreign=X"`
	O        *user   `rel:"belongsTo,foreign=UserId,gsi=99"`
	Counters []int   `rel:"hasMany"`
}

type orphan struct {
	ID       string
	UserNo   string
	Count    int
	Lists    []string
	User     *user       `rel:"belongsTo"`
	Writer   *user       `rel:"belongsTo"`
	Team     *team       `rel:"belongsTo"`
	Counted  *user       `rel:"belongsTo,foreign=Count"`
	Listed   *user       `rel:"belongsTo,foreign=Lists"`
	Missing  *user       `rel:"belongsTo,foreign=UserNumber"`
	Users    []*user     `rel:"hasMany"`
	One      *user       `rel:"hasOne,foreign=OrphanID"`
	Pivot    []*user     `rel:"belongsToMany,through=Usr"`
	Selves   []*orphan   `rel:"belongsToMany"`
	Through  []*user     `rel:"hasManyThrough=Nowhere"`
	Through2 []*user     `rel:"hasManyThrough=User"`
	Owner    any         `rel:"morphTo"`
	Morphs   []*user     `rel:"morphMany"`
	Videos   []*remarked `rel:"morphMany,as=vidoe"`
	Either   []*remarked `rel:"morphMany"`
	Doubles  []*doubled  `rel:"hasMany"`
}

type remarked struct {
	_         parser.EntityMarker `dynorm:"Remarked"`
	ID        string
	VideoID   string
	VideoType string
	PhotoID   []string
	PhotoType string
	AudioID   string
	AudioType int
	Video     any `rel:"morphTo"`
	Photo     any `rel:"morphTo"`
	Audio     any `rel:"morphTo"`
}

type doubled struct {
	_        parser.EntityMarker `dynorm:"Doubled"`
	ID       string
	FirstID  string
	SecondID string
	First    *orphan `rel:"belongsTo,collection"`
	Second   *orphan `rel:"belongsTo,collection"`
}

type orphanUser struct {
	_       parser.EntityMarker `dynorm:"OrphanUser"`
	ID      string
	UserID  string
	Orphans []*orphan `rel:"belongsToMany,through=OrphanUser"`
}

type usurper struct {
	_  parser.EntityMarker `dynorm:"User"`
	ID string
}

var definitionFaultCases = []goldenCase{
	{name: "fault-ambiguous", why: "Two promoted fields of one name and depth; encoding/json would drop both in silence.", fails: true, types: structs(ambiguous{}, diamond{})},
	{name: "fault-hidden-pointer", why: "A nil pointer to an unexported embedded struct can't be filled.", fails: true, types: structs(hiddenPointer{})},
	{name: "fault-attributes", why: "Two fields of one struct that are stored under one name, where encoding/json would keep one.", fails: true, types: structs(sameAttribute{})},
	{name: "fault-keys", why: "Primary keys that are missing or too many.", fails: true, types: structs(noKey{}, nothing{}, twoKeys{}, halfKey{}, otherHalfKey{})},
	{name: "fault-templates", why: "Templates that do not parse, or name what is not there or not a single value.", fails: true, types: structs(badTemplates{}, changingKey{})},
	{name: "fault-conditions", why: "Conditions that do not parse, or compare what can't be compared.", fails: true, types: structs(badConditions{})},
	{name: "fault-indexes", why: "Index markers.", fails: true, types: structs(badIndexes{})},
	{name: "fault-uniques", why: "Unique markers.", fails: true, types: structs(badUniques{})},
	{name: "fault-slots", why: "Two patterns of one entity pinned to one index.", fails: true, types: structs(slots{}, user{})},
	{name: "fault-entity", why: "Entity markers.", fails: true, types: structs(badEntity{})},
	{name: "fault-traits", why: "Fields in the way of what a trait keeps, and traits without what they need.", fails: true, types: structs(badTraits{})},
	{name: "fault-nested", why: "Options, relations and markers that act on an entity only, in nested structs.", fails: true, types: structs(nestedOptions{})},
	{name: "fault-relation-tags", why: "Relation tags.", fails: true, types: structs(badRelations{}, user{})},
	{name: "fault-relations", why: "Relations that lead nowhere.", fails: true, types: structs(orphan{}, user{}, remarked{}, doubled{}, orphanUser{})},
	{name: "fault-registration", why: "What is no struct, what has no name, and what is given twice.", fails: true, types: structs(1, nil, []user{}, struct{ ID string }{}, user{}, usurper{}, user{})},
}
