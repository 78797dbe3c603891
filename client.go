package dynorm

import (
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// idleConnections is how many connections to DynamoDB a client of [NewClient]
// keeps open between requests.
const idleConnections = 256

// NewClient returns the SDK's client for a configuration, as dynamodb.NewFromConfig
// does, with connections for many requests at once: the SDK's own transport
// keeps 10 of an endpoint open, so that of 64 goroutines most open a connection
// for each request, a TLS handshake included. This one keeps up to 256 for 90
// seconds. A configuration that has an HTTP client keeps it, and so do options
// that set one.
//
// It does no I/O. Use one client for the whole program.
func NewClient(cfg aws.Config, options ...func(*dynamodb.Options)) *dynamodb.Client {
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient().
			WithTransportOptions(func(t *http.Transport) {
				t.MaxIdleConns, t.MaxIdleConnsPerHost = idleConnections, idleConnections
				t.IdleConnTimeout = 90 * time.Second
			}).
			WithDialerOptions(func(d *net.Dialer) { d.KeepAlive = 30 * time.Second })
	}
	return dynamodb.NewFromConfig(cfg, options...)
}
