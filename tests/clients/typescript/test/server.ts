// The real server as a child process, on free ports of the loopback and a directory of its own.
//
// The path of its binary is in the environment variable BETEX_SERVER; `cargo xtask clients` builds the server
// and sets it.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MAX_MS = 30_000;
// Below those that systems lend to outgoing connections: a port must still be free after a restart.
const PORT_MIN = 20_000;
const PORTS = 12_000;

export class Server {
    private readonly folder = mkdtempSync(join(tmpdir(), 'betex-data-'));
    private readonly log = join(this.folder, 'server.log');
    private process?: ChildProcess;
    private constructor(private readonly program: string, readonly grpcPort: number, readonly httpPort: number) {}

    static async start(): Promise<Server> {
        const program = process.env.BETEX_SERVER;
        if (!program) {
            throw new Error('BETEX_SERVER does not name the server; run `cargo xtask clients`');
        }
        const server = new Server(program, await freePort(), await freePort());
        await server.start();
        return server;
    }

    /** Starts it and waits until it says that it is ready. */
    async start(): Promise<void> {
        const output = openSync(this.log, 'w');
        this.process = spawn(
            this.program,
            [
                '--grpc-port', String(this.grpcPort),
                '--http-port', String(this.httpPort),
                '--data-dir', join(this.folder, 'data'),
            ],
            { stdio: ['ignore', output, output] },
        );
        closeSync(output);
        const started = Date.now();
        while (!readFileSync(this.log, 'utf8').includes('Ready')) {
            if (this.process.exitCode !== null || Date.now() - started > START_MAX_MS) {
                this.process.kill('SIGKILL');
                throw new Error(`the server did not start: ${readFileSync(this.log, 'utf8')}`);
            }
            await sleep(10);
        }
    }

    /** SIGKILL: no chance to say or save anything. SIGTERM: it answers what it has and goes. */
    async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
        const child = this.process;
        if (!child || child.exitCode !== null || child.signalCode !== null) {
            return;
        }
        const exit = once(child, 'exit');
        child.kill(signal);
        const [code] = await exit;
        if (signal === 'SIGTERM' && code !== 0) {
            throw new Error(`the server ended with ${code}: ${readFileSync(this.log, 'utf8')}`);
        }
    }

    async close(): Promise<void> {
        await this.end('SIGKILL');
        rmSync(this.folder, { recursive: true });
    }
}

async function freePort(): Promise<number> {
    for (;;) {
        const port = PORT_MIN + Math.floor(Math.random() * PORTS);
        const listener = createServer().listen(port, '127.0.0.1');
        try {
            await once(listener, 'listening');
        } catch {
            continue;
        }
        listener.close();
        await once(listener, 'close');
        return port;
    }
}
