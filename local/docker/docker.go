// Package docker runs DynamoDB Local in a container, for whoever has a Docker
// engine and not Java. It is a module of its own, so that its dependencies
// reach only those who import it.
//
//	engine, err := docker.Open(ctx, docker.Config{})
//	if err != nil {
//		return err
//	}
//	defer engine.Close()
//	client := engine.Client() // a *dynamodb.Client
package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/dynorm/dynorm/local"
)

// Config says what [Open] runs. The zero value is DynamoDB Local in memory.
type Config struct {
	// Image is the container's image. Defaults to
	// "amazon/dynamodb-local:3.3.1".
	Image string

	// Region is the client's region. Defaults to "us-east-1".
	Region string
}

// Engine is a DynamoDB Local in a container.
type Engine struct {
	*local.Engine

	container testcontainers.Container
}

const port = "8000/tcp"

// stopTimeout bounds how long Close waits for the container to go.
const stopTimeout = 30 * time.Second

// Open starts a container and waits until DynamoDB Local listens in it. ctx
// bounds the wait, which includes the download of an image that is not there.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Image == "" {
		cfg.Image = "amazon/dynamodb-local:3.3.1"
	}
	container, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		ContainerRequest: testcontainers.ContainerRequest{
			Image:        cfg.Image,
			Cmd:          []string{"-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry"},
			ExposedPorts: []string{port},
			WaitingFor:   wait.ForListeningPort(port),
		},
		Started: true,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("local/docker: start %s: %w", cfg.Image, err), terminate(container))
	}
	endpoint, err := container.PortEndpoint(ctx, port, "http")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("local/docker: %w", err), terminate(container))
	}
	e, err := local.Open(ctx, local.Config{Endpoint: endpoint, Region: cfg.Region})
	if err != nil {
		return nil, errors.Join(err, terminate(container))
	}
	return &Engine{e, container}, nil
}

// Close stops the container and removes it with all it holds.
func (e *Engine) Close() error {
	return errors.Join(e.Engine.Close(), terminate(e.container))
}

func terminate(c testcontainers.Container) error {
	if c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := c.Terminate(ctx); err != nil {
		return fmt.Errorf("local/docker: remove the container: %w", err)
	}
	return nil
}
