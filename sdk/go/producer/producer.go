// Package producer writes to message queues that speak Kafka's protocol. The client library, credentials, TLS and transactions belong
// to the host.
package producer

// Blocks are byte strings in one buffer, to be filled without an allocation for each: append to Data, then call End.
type Blocks struct {
	Data []byte
	Ends []uint32
}

// End ends the item in progress.
func (b *Blocks) End() { b.Ends = append(b.Ends, uint32(len(b.Data))) }

// Add adds a whole item.
func (b *Blocks) Add(item []byte) {
	b.Data = append(b.Data, item...)
	b.End()
}

// Header is one header.
type Header struct {
	Name  string
	Value []byte
}

// Messages are in the form of one list per field; message i is item i of each.
type Messages struct {
	// Topics, and the topic of each message as an index in them; no TopicOf: all go to topic 0.
	Topics  []string
	TopicOf []uint16
	// Partitions of the messages; none: the host spreads them by key.
	Partitions []uint32
	// Keys; no ends at all: no keys.
	Keys   Blocks
	Values Blocks
	// Headers are the same for all messages.
	Headers []Header
}

// Len is the number of messages.
func (m *Messages) Len() int { return len(m.Values.Ends) }

// Reset forgets the messages and keeps topics, headers and memory.
func (m *Messages) Reset() {
	m.TopicOf, m.Partitions = m.TopicOf[:0], m.Partitions[:0]
	m.Keys.Data, m.Keys.Ends = m.Keys.Data[:0], m.Keys.Ends[:0]
	m.Values.Data, m.Values.Ends = m.Values.Data[:0], m.Values.Ends[:0]
}

// Producer is a client the host keeps. Its errors are failures, ready to be returned.
type Producer struct{ handle uint32 }

// Open opens an endpoint, one of the context's.
func Open(endpoint string) (*Producer, error) {
	handle, err := open(endpoint)
	if err != nil {
		return nil, err
	}
	return &Producer{handle}, nil
}

// Partitions of a topic; makes the topic where the operator allows it.
func (p *Producer) Partitions(topic string) (uint32, error) { return partitions(p.handle, topic) }

// MaxMessageBytes is the largest message, key and headers included, that this topic takes.
func (p *Producer) MaxMessageBytes(topic string) (uint32, error) { return maxBytes(p.handle, topic) }

// Send takes the messages and returns; it waits only while too many bytes are in flight.
func (p *Producer) Send(messages *Messages) error { return send(p.handle, messages) }

// Flush returns when the brokers have acknowledged everything sent. On a fenced endpoint, inside Sink.Flush, this commits the
// transaction together with the lane's position.
func (p *Producer) Flush() error { return flush(p.handle) }

// Close gives the client back.
func (p *Producer) Close() { closeProducer(p.handle) }
