package parser_test

import (
	"fmt"
	"reflect"
	"time"

	"github.com/dynorm/dynorm/parser"
)

type Ticket struct {
	_ parser.EntityMarker `dynorm:"Ticket,timestamps"`
	_ parser.IndexMarker  `dynorm:"open" pk:"QUEUE#{Queue}" sk:"{Due}" when:"!ClosedAt"`

	ID       string `dynorm:",primary,ulid"`
	Queue    string
	Due      time.Time
	ClosedAt *time.Time
	Labels   []string `dynorm:",set"`
}

func ExampleParse() {
	e, err := parser.Parse(reflect.TypeFor[Ticket]())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Name, e.Prefix)
	for _, f := range e.Fields {
		fmt.Println(f.Attr, f.Type.Kind)
	}
	fmt.Println(e.Indexes[0].Name, e.Indexes[0].PK, e.Indexes[0].When)
	// Output:
	// Ticket TICKET
	// id string
	// queue string
	// due time
	// closedAt time
	// labels list
	// open QUEUE#{Queue} !ClosedAt
}

func ExampleParse_faults() {
	type Draft struct {
		ID    string `dynorm:"id,primray"`
		Words []int  `dynorm:",unixtime"`
	}
	_, err := parser.Parse(reflect.TypeFor[Draft]())
	fmt.Println(err)
	// Output:
	// Draft.ID `dynorm:"id,primray"`: unknown option "primray" (did you mean "primary"?)
	// Draft.Words `dynorm:",unixtime"`: "unixtime" needs a time.Time, not []int
}

func ExampleWhen_Eval() {
	w, err := parser.ParseWhen("Status!=done,Score>=10")
	if err != nil {
		fmt.Println(err)
		return
	}
	item := map[string]any{"Status": "open", "Score": 12}
	fmt.Println(w.Eval(func(field string) (any, bool) {
		v, ok := item[field]
		return v, ok
	}))
	// Output: true
}
