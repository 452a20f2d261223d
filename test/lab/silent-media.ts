import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';

const PACKET_MS = 20;
const SAMPLES = 160;
/** G.711 µ-law silence. */
const SILENCE = 0xff;

/**
 * One call's end of the audio: sends silence, 50 packets a second, and counts what arrives. Some things in a real PBX
 * (Local channels being optimised away, feature codes) happen only while media flows; and a leg that receives packets
 * is really connected to somebody.
 */
export class SilentMedia {
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;
  #received = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', () => {
      this.#received += 1;
    });
    // A port that is closed at the other end comes back as an ICMP error: a call that ends. Nothing to do.
    socket.on('error', () => undefined);
  }

  static async open(address: string): Promise<SilentMedia> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new SilentMedia(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Packets received so far. */
  get received(): number {
    return this.#received;
  }

  /** Speaks to one target until `close`, or until told another one. */
  speakTo(target: { readonly address: string; readonly port: number }): void {
    clearInterval(this.#timer);
    if (!target.address.startsWith('127.'))
      throw new Error(`the lab sends media to loopback only, not ${target.address}`);
    const packet = Buffer.alloc(12 + SAMPLES, SILENCE);
    packet.writeUInt16BE(0x8000, 0);
    randomBytes(4).copy(packet, 8);
    let sequence = 0;
    this.#timer = setInterval(() => {
      sequence += 1;
      packet.writeUInt16BE(sequence & 0xffff, 2);
      packet.writeUInt32BE((sequence * SAMPLES) >>> 0, 4);
      this.#socket.send(Buffer.from(packet), target.port, target.address);
    }, PACKET_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }
}
