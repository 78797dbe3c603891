package dynorm_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

type transport func(*http.Request) (*http.Response, error)

func (t transport) Do(r *http.Request) (*http.Response, error) { return t(r) }

// Engines for development take any credentials, so the service's refusals are
// played back.
func TestServiceErrors(t *testing.T) {
	tests := []struct {
		exception string
		status    int
		want      error
	}{
		{"com.amazon.coral.service#UnrecognizedClientException", 400, dynorm.ErrAccess},
		{"com.amazon.coral.service#InvalidSignatureException", 400, dynorm.ErrAccess},
		{"com.amazon.coral.service#MissingAuthenticationTokenException", 400, dynorm.ErrAccess},
		{"com.amazon.coral.service#AccessDeniedException", 400, dynorm.ErrAccess},
		{"com.amazon.coral.service#ExpiredTokenException", 400, dynorm.ErrAccess},
		{"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", 400, dynorm.ErrThrottled},
		{"com.amazon.coral.availability#ThrottlingException", 400, dynorm.ErrThrottled},
		{"com.amazonaws.dynamodb.v20120810#RequestLimitExceeded", 400, dynorm.ErrThrottled},
		{"com.amazonaws.dynamodb.v20120810#TransactionConflictException", 400, dynorm.ErrConflict},
		{"com.amazonaws.dynamodb.v20120810#ItemCollectionSizeLimitExceededException", 400, dynorm.ErrTooLarge},
		{"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", 400, dynorm.ErrTableNotFound},
		{"com.amazon.coral.validate#ValidationException", 400, dynorm.ErrInvalid},
	}
	schema, err := dynorm.NewSchema(User{}, Team{})
	require.NoError(t, err)
	for _, tt := range tests {
		t.Run(tt.exception, func(t *testing.T) {
			client := dynamodb.New(dynamodb.Options{
				Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, Retryer: aws.NopRetryer{},
				HTTPClient: transport(func(*http.Request) (*http.Response, error) {
					body := `{"__type":"` + tt.exception + `","message":"told by the service"}`
					return &http.Response{
						StatusCode: tt.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
						Body: io.NopCloser(strings.NewReader(body)),
					}, nil
				}),
			})
			db, err := dynorm.Open(client, schema, dynorm.Config{Table: "app"})
			require.NoError(t, err)
			_, err = dynorm.ModelOf[User](db).Find(t.Context(), "1")
			require.ErrorIs(t, err, tt.want)
			var api smithy.APIError
			require.ErrorAs(t, err, &api, "the SDK's error stays reachable")
			de, ok := errors.AsType[*dynorm.Error](err)
			require.True(t, ok)
			require.Equal(t, "Find", de.Op)
			require.Equal(t, "User", de.Entity)
		})
	}
}

type Cart struct {
	ID    string
	Lines []CartLine
}

type CartLine struct{ Qty int }

func TestDecodeErrorsNameThePath(t *testing.T) {
	s := open(t, Cart{}, User{}, Team{})
	carts := dynorm.ModelOf[Cart](s.db)
	require.NoError(t, carts.Create(t.Context(), &Cart{ID: "1", Lines: []CartLine{{1}, {2}}}))
	_, err := s.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName:                 aws.String(s.db.Table()),
		Key:                       dynorm.Item{"pk": &types.AttributeValueMemberS{Value: "CART#1"}, "sk": &types.AttributeValueMemberS{Value: "CART#1"}},
		UpdateExpression:          aws.String("SET #l[1].qty = :v"),
		ExpressionAttributeNames:  map[string]string{"#l": "lines"},
		ExpressionAttributeValues: dynorm.Item{":v": &types.AttributeValueMemberS{Value: "secret"}},
	})
	require.NoError(t, err)
	_, err = carts.Find(t.Context(), "1")
	require.ErrorIs(t, err, dynorm.ErrValue)
	require.ErrorContains(t, err, "Cart.Lines[1].Qty: want N, got S")
	require.NotContains(t, err.Error(), "secret")

	// An item of another entity is never decoded as this one.
	_, err = s.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(s.db.Table()), Item: dynorm.Item{
		"pk": &types.AttributeValueMemberS{Value: "CART#2"}, "sk": &types.AttributeValueMemberS{Value: "CART#2"},
		"_et": &types.AttributeValueMemberS{Value: "User"},
	}})
	require.NoError(t, err)
	_, err = carts.Find(t.Context(), "2")
	require.ErrorIs(t, err, dynorm.ErrValue)
	require.ErrorContains(t, err, "is a User")
}
