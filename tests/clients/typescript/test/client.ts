// Clients of the service, made from its proto file.

import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import { join } from 'node:path';

const PROTO = join(import.meta.dirname, '../../../../proto/orderbook.proto');
const CALL_MAX_MS = 20_000;

/**
 * As the API reference makes it, with `keepCase`: without it, proto-loader turns `market_id` into `marketId`,
 * and a request with a `market_id` would be sent without one. 64-bit numbers are Long objects then, and a list
 * without entries is not there at all.
 */
export function connectAsPrinted(port: number): any {
    return connectWith(port, { keepCase: true });
}

/** As we would: 64-bit numbers are strings, empty lists are empty lists, what is zero is there. */
export function connect(port: number): any {
    return connectWith(port, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true });
}

function connectWith(port: number, options: protoLoader.Options): any {
    const packageDefinition = protoLoader.loadSync(PROTO, options);
    const proto = grpc.loadPackageDefinition(packageDefinition) as any;

    return new proto.orderbook.v1.OrderBookService(
        `localhost:${port}`,
        grpc.credentials.createInsecure(),
        // Soon again after the server was away.
        { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 200 },
    );
}

/** A call as a promise, which waits while the server is being reached. */
export function call(client: any, method: string, request: object): Promise<any> {
    const metadata = new grpc.Metadata({ waitForReady: true });
    return new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + CALL_MAX_MS };
        client[method](request, metadata, options, (error: grpc.ServiceError | null, response: unknown) => {
            if (error) {
                reject(error);
            } else {
                resolve(response);
            }
        });
    });
}
