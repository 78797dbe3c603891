package testdb

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// drop deletes a table, whatever state it is in. A table that is gone already
// is no error.
func drop(ctx context.Context, client *dynamodb.Client, name string) error {
	for {
		_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)})
		var gone *types.ResourceNotFoundException
		var busy *types.ResourceInUseException
		switch {
		case err == nil, errors.As(err, &gone):
			return nil
		case errors.As(err, &busy):
			// The table is being created, updated or deleted: wait for the end.
			select {
			case <-ctx.Done():
				return err
			case <-time.After(20 * time.Millisecond):
			}
		default:
			unprotected, perr := unprotect(ctx, client, name)
			if perr != nil {
				return errors.Join(err, perr)
			}
			if !unprotected {
				return err
			}
		}
	}
}

// unprotect turns a table's deletion protection off and reports whether it was
// on.
func unprotect(ctx context.Context, client *dynamodb.Client, name string) (bool, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	if err != nil {
		return false, err
	}
	if !aws.ToBool(out.Table.DeletionProtectionEnabled) {
		return false, nil
	}
	_, err = client.UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName:                 aws.String(name),
		DeletionProtectionEnabled: aws.Bool(false),
	})
	return err == nil, err
}
