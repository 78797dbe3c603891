package parser_test

import (
	"encoding/json"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"
)

type minimal struct {
	ID string
}

type names struct {
	ID              string
	UserID          string
	HTTPServerURL   string
	OAuth2Token     string
	UserIDs         []string
	IPv4Addr        string
	IPv6            string
	X509Cert        string
	S3Key           string
	Address2Line    string
	JSONBody        string
	XMLHTTPRequest  string
	MP3URL          string
	A               string
	AB              string
	ABTest          string
	User_Name       string
	Ünicode         string
	IsOK            bool
	IDsByName       map[string]string
	Given           string `dynorm:"some.other name"`
	GivenWithOption string `dynorm:"given_name,omitempty"`
}

type status string

type level int

type scalars struct {
	ID  string
	S   string
	Str status
	B   bool
	I   int
	I8  int8
	I16 int16
	I32 int32
	I64 int64
	Lvl level
	Dur time.Duration
	U   uint
	U8  uint8
	U16 uint16
	U32 uint32
	U64 uint64
	F32 float32
	F64 float64
	Any any
}

type raw []byte

type flagByte byte

type digest [32]byte

type binaries struct {
	ID     string
	Bytes  []byte
	Named  raw
	Array  [4]byte
	Digest digest
	Flags  []flagByte
	JSON   json.RawMessage
}

type numbers struct {
	ID  string
	J   json.Number
	AV  attributevalue.Number
	Int big.Int
	Rat *big.Rat
	Flt *big.Float
	Set []json.Number `dynorm:",set"`
}

type hexColor uint32

func (c hexColor) MarshalText() ([]byte, error) { return []byte{byte(c)}, nil }
func (c *hexColor) UnmarshalText([]byte) error  { return nil }

type blob struct{ n int }

func (b blob) MarshalBinary() ([]byte, error)     { return []byte{byte(b.n)}, nil }
func (b *blob) UnmarshalBinary(data []byte) error { return nil }

type money struct{ cents int64 }

func (m money) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberN{Value: big.NewInt(m.cents).String()}, nil
}

func (m *money) UnmarshalDynamoDBAttributeValue(types.AttributeValue) error { return nil }

type texts struct {
	ID     uuid.UUID `dynorm:",primary,uuid"`
	ULID   ulid.ULID `dynorm:",ulid"`
	Addr   netip.Addr
	IP     net.IP
	Color  hexColor
	Colors []hexColor
	Blob   blob
	URL    *url.URL
	Price  money
	Prices map[string]money
}

type stamp time.Time

type day time.Time

func (d day) MarshalText() ([]byte, error) { return time.Time(d).AppendFormat(nil, time.DateOnly), nil }
func (d *day) UnmarshalText([]byte) error  { return nil }

type times struct {
	ID        string
	Plain     time.Time
	Pointer   *time.Time
	Converted stamp
	OwnText   day
	Unix      time.Time `dynorm:",unixtime"`
	Milli     time.Time `dynorm:",unixmilli"`
	SDK       attributevalue.UnixTime
	Seconds   time.Time   `dynorm:",precision=s"`
	Millis    time.Time   `dynorm:",precision=ms"`
	Micros    time.Time   `dynorm:",precision=us"`
	Nanos     time.Time   `dynorm:",precision=ns"`
	Zero      *time.Time  `dynorm:",null"`
	List      []time.Time `dynorm:",set"`
}

type collections struct {
	ID       string
	Strings  []string
	Pointers []*string
	Matrix   [][]int
	Array    [3]float64
	Map      map[string]int
	ByInt    map[int16]string
	ByUint   map[uint]string
	ByAddr   map[netip.Addr]string
	ByStatus map[status][]bool
	Anything map[string]any
	List     []any
	SDKTimes []attributevalue.UnixTime
}

type sets struct {
	ID       string
	Strings  []string               `dynorm:",set"`
	Statuses []status               `dynorm:",set,omitempty"`
	Ints     []int64                `dynorm:",set"`
	Floats   []float32              `dynorm:",set"`
	Bytes    [][]byte               `dynorm:",set"`
	Digests  []digest               `dynorm:",set"`
	Addrs    []netip.Addr           `dynorm:",set"`
	ByName   map[string]struct{}    `dynorm:",set"`
	ByNumber map[int]bool           `dynorm:",set"`
	ByAddr   map[netip.Addr]bool    `dynorm:",set"`
	Stored   map[string]struct{}    // not a set without the option
	Pointer  *[]string              `dynorm:",set"`
	Named    map[status]placeholder `dynorm:",set"`
}

type placeholder struct{}

type pointers struct {
	ID     string
	Str    *string
	Num    *int32
	Bytes  *[]byte
	List   *[]string
	Map    *map[string]int
	Struct *point
	Null   *string           `dynorm:",null"`
	Nulls  []int             `dynorm:",null"`
	NullM  map[string]string `dynorm:",null"`
	NullA  any               `dynorm:",null"`
}

type point struct {
	X, Y float64
	Note string `dynorm:"n,omitempty"`
}

type options struct {
	Key     string      `dynorm:"k,primary,ulid"`
	Email   string      `dynorm:"email,unique,required"`
	City    string      `dynorm:",index"`
	Country string      `dynorm:",index,gsi=7"`
	Default string      `dynorm:",default=open,enum=open|closed"`
	Quoted  string      `dynorm:",default='a, b, it''s',hidden"`
	Level   int8        `dynorm:",enum=1|2|3,default=2"`
	On      bool        `dynorm:",default=true"`
	Ratio   float64     `dynorm:",default=0.5"`
	Whole   big.Int     `dynorm:",default=12345678901234567890"`
	Decimal json.Number `dynorm:",default=-1.5e10"`
	Since   time.Time   `dynorm:",default=2020-01-01T00:00:00Z"`
	Color   hexColor    `dynorm:",default=red"`
	Seq     uint32      `dynorm:",pad=6"`
	AsText  int64       `dynorm:",string"`
	Secret  string      `dynorm:",encrypt,hidden"`
	Owner   string      `dynorm:",readonly"`
	Meta    point       `dynorm:",json"`
	Opaque  halfText    `dynorm:",json"`
	Empty   []string    `dynorm:",omitempty"`
	Request string      `dynorm:",uuid"`
	Made    time.Time   `dynorm:",created,precision=s"`
	Changed *time.Time  `dynorm:",updated"`
	Gone    *time.Time  `dynorm:",deleted"`
	Rev     uint32      `dynorm:",version"`
	Expires int64       `dynorm:"exp,ttl"`
}

// halfText writes text that it can't read.
type halfText struct{ V string }

func (h halfText) MarshalText() ([]byte, error) { return []byte(h.V), nil }

type fromSDK struct {
	ID      string         `dynamodbav:"user_id,omitempty" dynorm:",primary"`
	Name    string         `dynamodbav:"full_name"`
	Nick    string         `dynamodbav:"nick,omitempty"`
	Count   int            `dynamodbav:",string"`
	Label   string         `dynamodbav:",string"`
	At      time.Time      `dynamodbav:"at,unixtime"`
	Later   int64          `dynamodbav:"later,unixtime"`
	Tags    []string       `dynamodbav:"tags,stringset"`
	Sizes   []int          `dynamodbav:"sizes,numberset,omitempty"`
	Hashes  [][]byte       `dynamodbav:"hashes,binaryset"`
	Scalar  string         `dynamodbav:"scalar,stringset"`
	Skipped chan int       `dynamodbav:"-"`
	Wins    string         `dynamodbav:"loses" dynorm:"wins"`
	Kept    string         `dynamodbav:"-" dynorm:"kept"`
	Both    time.Time      `dynamodbav:"both,unixtime" dynorm:",required"`
	Meta    map[string]int `json:"meta" dynamodbav:"metadata"`
}

type ignored struct {
	ID      string
	Chan    chan int     `dynorm:"-"`
	Func    func()       `dynorm:"-"`
	Complex complex128   `dynamodbav:"-"`
	Reader  json.Decoder `dynorm:"-"`
	private chan int
	hidden  string `yaml:"hidden" dynorm:"-"`
	_       [0]func()
}

var fieldCases = []goldenCase{
	{name: "minimal", why: "A struct without tags is an entity when it has an ID.", types: structs(minimal{})},
	{name: "names", why: "Attribute names default to the field's in lower camel case, runs of capitals being one word.", types: structs(names{})},
	{name: "scalars", why: "Every scalar Go type has a kind and a size, named types included.", types: structs(scalars{})},
	{name: "binaries", why: "Byte slices and arrays are binary, unless their element stores itself.", types: structs(binaries{})},
	{name: "numbers", why: "Types that hold more digits than Go's own are numbers too.", types: structs(numbers{})},
	{name: "texts", why: "What a type says of itself by its methods goes before what it is made of.", types: structs(texts{})},
	{name: "times", why: "Times, the types that convert to them, and the forms they are stored in.", types: structs(times{})},
	{name: "collections", why: "Lists, arrays and maps with each kind of key.", types: structs(collections{})},
	{name: "sets", why: "A slice, or a map to bool or struct{}, of strings, numbers or bytes can be a set.", types: structs(sets{})},
	{name: "pointers", why: "One pointer is looked through; what can be nil can be stored as NULL.", types: structs(&pointers{})},
	{name: "options", why: "Every option of a field, where it fits.", types: structs(options{})},
	{name: "dynamodbav", why: "Names and options of the SDK's tags are honoured; those that fit no field here are dropped, as the SDK drops them.", types: structs(fromSDK{})},
	{name: "ignored", why: "Fields that are not stored may have any type.", types: structs(ignored{})},
}
