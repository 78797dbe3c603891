package local_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

var own = aws.Credentials{AccessKeyID: "AKIDOWN", SecretAccessKey: "secret/of+own", SessionToken: "token"}

// TestCredentials asks an engine with credentials of its own through the
// official client, in process and over HTTP.
func TestCredentials(t *testing.T) {
	e := open(t, local.Config{Credentials: own})
	require.NoError(t, putOnce(t, e, "a"), "the engine's own client signs with them")
	s := httptest.NewServer(e.Handler())
	defer s.Close()

	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	for _, tc := range []struct {
		name          string
		credentials   aws.CredentialsProvider
		region        string
		code, message string
	}{
		{"right", static(own), "us-east-1", "", ""},
		{"wrong secret", static(aws.Credentials{AccessKeyID: own.AccessKeyID, SecretAccessKey: "other", SessionToken: own.SessionToken}), "us-east-1", "InvalidSignatureException", mismatch},
		{"unknown key", static(aws.Credentials{AccessKeyID: "AKIDOTHER", SecretAccessKey: own.SecretAccessKey, SessionToken: own.SessionToken}), "us-east-1", "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"no session", static(aws.Credentials{AccessKeyID: own.AccessKeyID, SecretAccessKey: own.SecretAccessKey}), "us-east-1", "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"another region", static(own), "eu-west-1", "InvalidSignatureException", "Credential should be scoped to a valid region, not 'eu-west-1'. "},
		{"unsigned", aws.AnonymousCredentials{}, "us-east-1", "MissingAuthenticationTokenException", "Request is missing Authentication Token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := dynamodb.New(dynamodb.Options{Region: tc.region, BaseEndpoint: aws.String(s.URL), Credentials: tc.credentials, RetryMaxAttempts: 1})
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("app"), Item: item("ü", "x y", "city", "Köln")})
			if tc.code == "" {
				require.NoError(t, err)
				return
			}
			var refused smithy.APIError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, tc.code, refused.ErrorCode())
			require.Equal(t, tc.message, refused.ErrorMessage())
		})
	}
}

func static(c aws.Credentials) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
}

// TestSignatures asks with requests that no client makes.
func TestSignatures(t *testing.T) {
	h := open(t, local.Config{Credentials: own}).Handler()
	now := time.Now()
	for _, tc := range []struct {
		name    string
		at      time.Time
		service string
		spoil   func(r *http.Request)
		status  int
		answer  string // what it begins with, after the namespace
	}{
		{"as it should be", now, "dynamodb", nil, 200, `{"TableNames":["app"]}`},
		{"a path and a query", now, "dynamodb", nil, 200, `{"TableNames":["app"]}`},
		{"long ago", now.Add(-6 * time.Minute), "dynamodb", nil, 400, `InvalidSignatureException","message":"Signature expired: ` + now.Add(-6*time.Minute).UTC().Format("20060102T150405Z") + ` is now earlier than `},
		{"in the future", now.Add(6 * time.Minute), "dynamodb", nil, 400, `InvalidSignatureException","message":"Signature not yet current: `},
		{"another service", now, "s3", nil, 400, `InvalidSignatureException","message":"Credential should be scoped to correct service: 'dynamodb'. "`},
		{"no date", now, "dynamodb", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, 400, `IncompleteSignatureException","message":"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4`},
		{"no date that is one", now, "dynamodb", func(r *http.Request) { r.Header.Set("X-Amz-Date", now.UTC().Format("20060102")+"x") }, 400, `IncompleteSignatureException","message":"Date must be in ISO-8601 'basic format'.`},
		{"another day", now, "dynamodb", func(r *http.Request) { r.Header.Set("X-Amz-Date", "2") }, 400, `InvalidSignatureException","message":"Date in Credential scope does not match`},
		{"another algorithm", now, "dynamodb", func(r *http.Request) { r.Header.Set("Authorization", "Basic abc") }, 400, `IncompleteSignatureException","message":"Unsupported AWS 'algorithm': 'Basic'."`},
		{
			"the algorithm alone", now, "dynamodb", func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256") }, 400,
			`IncompleteSignatureException","message":"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256"`,
		},
		{"half a credential", now, "dynamodb", func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0")
		}, 400, `IncompleteSignatureException","message":"Credential must have at least 5 slash-delimited elements, not 'a/b'."`},
		{"a header changed", now, "dynamodb", func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDB_20120810.DeleteTable") }, 400, `InvalidSignatureException","message":"The request signature`},
		{"a body changed", now, "dynamodb", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("[]")) }, 400, `InvalidSignatureException","message":"The request signature`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url := "http://localhost/"
			if tc.name == "a path and a query" {
				url += "a%20b/%C3%BC?x=1%202&a=+&x=0"
			}
			r := httptest.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
			r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
			sum := sha256.Sum256([]byte("{}"))
			require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), own, r, hex.EncodeToString(sum[:]), tc.service, "us-east-1", tc.at))
			if tc.spoil != nil {
				tc.spoil(r)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, tc.status, w.Code, "%s", w.Body)
			require.True(t, strings.HasPrefix(strings.TrimPrefix(w.Body.String(), `{"__type":"com.amazon.coral.service#`), tc.answer), "%s", w.Body)
		})
	}
}

// TestCredentialsConfig holds Open to what it says of Config.Credentials.
func TestCredentialsConfig(t *testing.T) {
	for _, half := range []aws.Credentials{{AccessKeyID: "a"}, {SecretAccessKey: "b"}} {
		_, err := local.Open(t.Context(), local.Config{Credentials: half})
		require.ErrorContains(t, err, "AccessKeyID and SecretAccessKey")
	}
}
