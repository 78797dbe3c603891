package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/dynorm/dynorm"
)

// rowSchema is the name of the row of schemaRow.
const rowSchema = "NewSchema, 50 entities"

// entityTypes returns n entities of User's fields, with a unique field, an index
// and timestamps each.
func entityTypes(n int) []any {
	entities := make([]any, n)
	user := reflect.TypeFor[User]()
	for i := range entities {
		var fields []reflect.StructField
		for f := range user.NumField() {
			field := user.Field(f)
			switch field.Name {
			case "_":
				if field.Type == reflect.TypeFor[dynorm.Entity]() {
					field.Tag = reflect.StructTag(fmt.Sprintf(`dynorm:"E%d,timestamps"`, i))
				} else {
					field.Tag = reflect.StructTag(fmt.Sprintf(`pk:"T%d#{TenantID}" sk:"E%d#{ID}"`, i, i))
				}
			case "Email":
				field.Tag = `dynorm:"email,unique"`
			case "Status":
				field.Tag = `dynorm:"status,index"`
			case "CreatedAt":
				field.Tag = `dynorm:"since"`
			}
			field.Offset, field.Index = 0, nil
			fields = append(fields, field)
		}
		entities[i] = reflect.Zero(reflect.StructOf(fields)).Interface()
	}
	return entities
}

func (s *suite) schemaRow() row {
	return row{
		name: rowSchema,
		note: "Of 12 fields each, with a key, a unique field, an index and timestamps.",
		measure: func(context.Context) ([]measured, error) {
			entities := entityTypes(50)
			return s.measure([]string{nameOurs}, []func() error{
				func() error { _, err := dynorm.NewSchema(entities...); return err },
			})
		},
		table: peerTable,
	}
}
