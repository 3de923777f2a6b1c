/**
 * A sender as a lab system is one: sends, waits for the answer with its own MSH-10, and when the
 * line breaks first, connects again and sends the same bytes again.
 */
import { connect, type Socket } from 'node:net';

const VT = '\x0b';
const end = '\x1c\r';
const retryMs = 100;

export class MllpSender {
  /** Where to connect to; asked again at each connect, because a restarted gateway may have another port. */
  readonly #address: () => { host: string; port: number } | undefined;
  #socket: Socket | undefined;
  /** How often a message was sent again because no answer came. */
  resent = 0;

  constructor(address: () => { host: string; port: number } | undefined) {
    this.#address = address;
  }

  /** Resolves with MSA-1 when the message was answered. */
  async send(text: string, controlId: string): Promise<string> {
    for (let attempt = 0; ; attempt += 1) {
      if (attempt > 0) this.resent += 1;
      try {
        return await this.#exchange(text, controlId);
      } catch {
        this.#socket?.destroy();
        this.#socket = undefined;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  close(): void {
    this.#socket?.destroy();
  }

  async #exchange(text: string, controlId: string): Promise<string> {
    this.#socket ??= await this.#connect();
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let received = '';
      const done = (work: () => void) => {
        socket.off('data', onData);
        socket.off('close', onClose);
        work();
      };
      const onClose = () => done(() => reject(new Error('closed')));
      const onData = (chunk: Buffer) => {
        received += chunk.toString('latin1');
        if (!received.includes('\x1c')) return;
        const [code = '', echoed] = received.split('\rMSA|')[1]?.split(/[|\r]/) ?? [];
        if (echoed === controlId) done(() => resolve(code));
        else done(() => reject(new Error('the answer of another message')));
      };
      socket.on('data', onData);
      socket.on('close', onClose);
      socket.write(`${VT}${text}${end}`, 'latin1');
    });
  }

  #connect(): Promise<Socket> {
    const address = this.#address();
    if (address === undefined) return Promise.reject(new Error('no listener'));
    return new Promise((resolve, reject) => {
      const socket = connect(address);
      socket.setNoDelay(true);
      socket.once('connect', () => resolve(socket));
      socket.once('error', reject);
      socket.on('error', () => socket.destroy());
    });
  }
}
