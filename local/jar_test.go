package local_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// TestJar runs DynamoDB Local when DYNORM_TEST_JAR names its jar; without one
// it checks that a jar that can't be run is an error that says why.
func TestJar(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	jar := os.Getenv("DYNORM_TEST_JAR")
	if jar == "" {
		_, err := local.Open(ctx, local.Config{Jar: t.TempDir() + "/absent.jar"})
		require.ErrorContains(t, err, "DynamoDB Local")
		return
	}
	e, err := local.Open(ctx, local.Config{Jar: jar})
	require.NoError(t, err)
	createTable(t, e.Client(), "app")
	r := e.Record()
	require.NoError(t, putOnce(t, e, "a"))
	require.True(t, exists(t, e, "a"))
	require.Equal(t, []string{"PutItem", "GetItem"}, r.Operations())
	require.NoError(t, e.Close())
	_, err = e.Client().ListTables(ctx, &dynamodb.ListTablesInput{}, once)
	require.Error(t, err, "it has ended")
}
