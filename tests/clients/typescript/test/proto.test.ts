// The proto file: the rules of `buf lint` that proto/buf.yaml names, and what proto-loader makes of it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import * as protoLoader from '@grpc/proto-loader';

const PROTO = join(import.meta.dirname, '../../../../proto');

test('the proto file keeps the rules of buf but for those that buf.yaml excepts', () => {
    const buf = join(import.meta.dirname, '../node_modules/.bin/buf');
    execFileSync(buf, ['lint'], { cwd: PROTO, stdio: 'pipe' });
});

// What docs/api.md warns of: if this changes, the warning can go.
test('an enum name that proto-loader does not know is sent as 0', () => {
    const definition = protoLoader.loadSync(join(PROTO, 'orderbook.proto'), { keepCase: true, enums: String, defaults: true });
    const { requestSerialize, requestDeserialize } = (definition['orderbook.v1.OrderBookService'] as any).SubmitOrder;
    const sent = (time_in_force: unknown) => requestDeserialize(requestSerialize({ time_in_force })).time_in_force;
    assert.deepEqual(['FOK', 2, 'fok', 'FILL_OR_KILL', '2'].map(sent), ['FOK', 'FOK', 'GTC', 'GTC', 'GTC']);
});
