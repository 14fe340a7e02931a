package producer

import (
	"unsafe"

	"tidegate/internal/abi"
	"tidegate/internal/border"
)

//go:wasmimport tidegate:plugin/producer@1.0.0 [static]topic-producer.open
func openRaw(endpoint string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/producer@1.0.0 [method]topic-producer.partitions
func partitionsRaw(producer uint32, topic string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/producer@1.0.0 [method]topic-producer.max-message-bytes
func maxBytesRaw(producer uint32, topic string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/producer@1.0.0 [method]topic-producer.send
func sendRaw(params, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/producer@1.0.0 [method]topic-producer.flush
func flushRaw(producer uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/producer@1.0.0 [resource-drop]topic-producer
func closeProducer(producer uint32)

// rawSend are the parameters of send, too many to go without memory.
type rawSend struct {
	producer                    uint32
	topicOf, topics, partitions abi.List
	keys, values                abi.RawBlocks
	headers                     abi.List
}

// number reads a result<u32, failure>.
func number() (uint32, error) {
	if err := unit(); err != nil {
		return 0, err
	}
	return *abi.Result4[uint32](), nil
}

func unit() error {
	if abi.ResultTag() == 0 {
		return nil
	}
	defer abi.Taken()
	return border.Failure(abi.Result4[abi.RawFailure]())
}

func open(endpoint string) (uint32, error) {
	openRaw(endpoint, abi.Area())
	return number()
}

func partitions(handle uint32, topic string) (uint32, error) {
	partitionsRaw(handle, topic, abi.Area())
	return number()
}

func maxBytes(handle uint32, topic string) (uint32, error) {
	maxBytesRaw(handle, topic, abi.Area())
	return number()
}

func send(handle uint32, m *Messages) error {
	defer abi.Release(abi.Mark())
	headers := make([][2]abi.List, len(m.Headers))
	for i, h := range m.Headers {
		headers[i] = [2]abi.List{abi.LendString(h.Name), abi.Lend(h.Value)}
	}
	params := &rawSend{
		producer: handle, topicOf: abi.Lend(m.TopicOf), topics: abi.LendStrings(m.Topics), partitions: abi.Lend(m.Partitions),
		keys: blocks(&m.Keys), values: blocks(&m.Values), headers: abi.Lend(headers),
	}
	sendRaw(unsafe.Pointer(params), abi.Area())
	return unit()
}

func blocks(b *Blocks) abi.RawBlocks {
	return abi.RawBlocks{Data: abi.Lend(b.Data), Ends: abi.Lend(b.Ends)}
}

func flush(handle uint32) error {
	flushRaw(handle, abi.Area())
	return unit()
}
