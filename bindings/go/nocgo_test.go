//go:build !cgo

package parallelstate

import (
	"errors"
	"strings"
	"testing"
)

func TestWithoutCgoItSaysSo(t *testing.T) {
	_, initErr := Init(nil)
	_, storeErr := OpenStore("tcp://127.0.0.1:1", nil)
	_, infoErr := LibraryInfo()
	_, allocErr := Alloc[int](1)
	_, layoutErr := NewLayout("vllm:tp=2", 2)
	_, layersErr := PipelineLayers("vllm", 4, 2, nil)
	_, shardErr := ShardRange(4, 2, 0)
	for _, err := range []error{initErr, storeErr, infoErr, allocErr, layoutErr, layersErr, shardErr} {
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "CGO_ENABLED=1") {
			t.Error(err)
		}
	}
	if Version() != "" {
		t.Error(Version())
	}
}
