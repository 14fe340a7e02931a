/** Message queues that speak Kafka's protocol. The client library, credentials, TLS and transactions belong to the host. */

import * as raw from 'tidegate:plugin/producer@1.0.0';
import { asking, liftFailure } from './border';
import { fatal } from './failure';

const asked = <T>(call: () => T): T => asking(call, liftFailure);

function blocks(items: Uint8Array[]): { data: Uint8Array; ends: number[] } {
  const data = new Uint8Array(items.reduce((sum, item) => sum + item.length, 0)), ends: number[] = [];
  let end = 0;
  for (const item of items) {
    data.set(item, end);
    ends.push((end += item.length));
  }
  return { data, ends };
}

/** Messages to send together. Give a key to all of them or to none, and likewise a partition. */
export class Messages {
  private readonly topics: string[] = [];
  private readonly topicOf: number[] = [];
  private readonly partitions: number[] = [];
  private readonly keys: Uint8Array[] = [];
  private readonly values: Uint8Array[] = [];

  constructor(private readonly headers: [string, Uint8Array][] = []) {}

  get length(): number { return this.values.length; }

  /** Adds a message. Without partitions the host spreads messages by key. */
  add(topic: string, value: Uint8Array, { key, partition }: { key?: Uint8Array; partition?: number } = {}): void {
    let at = this.topics.indexOf(topic);
    if (at < 0) at = this.topics.push(topic) - 1;
    this.topicOf.push(at);
    this.values.push(value);
    if (key !== undefined) this.keys.push(key);
    if (partition !== undefined) this.partitions.push(partition);
  }

  /** As the host takes them. */
  lower(): Parameters<raw.TopicProducer['send']>[0] {
    for (const [name, items] of [['key', this.keys], ['partition', this.partitions]] as const) {
      if (items.length > 0 && items.length !== this.length) {
        throw fatal('messages', `${items.length} of ${this.length} messages have a ${name}: give it to all or to none`);
      }
    }
    const { topicOf, topics, partitions, headers } = this;
    return { topicOf, topics, partitions, keys: blocks(this.keys), values: blocks(this.values), headers };
  }
}

/** A client the host keeps. What fails throws a `Failure`. */
export class Producer {
  private readonly raw: raw.TopicProducer;

  /** `endpoint` is one of the context's. */
  constructor(endpoint: string) {
    this.raw = asked(() => raw.TopicProducer.open(endpoint));
  }

  /** Partitions of a topic; makes the topic where the operator allows it. */
  partitions(topic: string): number { return asked(() => this.raw.partitions(topic)); }
  /** Largest message, key and headers included, that this topic takes. */
  maxMessageBytes(topic: string): number { return asked(() => this.raw.maxMessageBytes(topic)); }
  /** Takes the messages and returns; waits only while too many bytes are in flight. */
  send(messages: Messages): void { asked(() => this.raw.send(messages.lower())); }
  /**
   * Returns when the brokers have acknowledged everything sent. On a fenced endpoint, inside `Sink.flush`, this commits the transaction
   * together with the lane's position.
   */
  flush(): void { asked(() => this.raw.flush()); }
}
