// Rejections, status codes, the WebSocket and restarts, from TypeScript. The tests in Python go further; these
// hold what this client library might see differently: 64-bit numbers, enums, errors.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { status } from '@grpc/grpc-js';
import WebSocket from 'ws';

import { call, connect } from './client.ts';
import { Server } from './server.ts';

const OUTCOMES = ['Liverpool', 'Draw', 'Arsenal'];

let server: Server;
let client: any;
let markets = 0;

before(async () => {
    server = await Server.start();
    client = connect(server.grpcPort);
});

after(async () => {
    client?.close();
    await server?.close();
});

async function openMarket(fields: object = {}): Promise<string> {
    markets += 1;
    const market_id = `market-${markets}`;
    await call(client, 'CreateMarket', { market_id, outcomes: OUTCOMES, ...fields });
    await call(client, 'OpenMarket', { market_id });
    return market_id;
}

function submit(market_id: string, fields: object): Promise<any> {
    const form = { outcome_id: 'Liverpool', side: 'BACK', price: 2.5, price_type: 1, quantity: 100, order_type: 'LIMIT' };
    return call(client, 'SubmitOrder', { market_id, ...form, ...fields });
}

test('each rejection reason', async () => {
    const market = await openMarket({ min_quantity: 10 });
    await submit(market, { side: 'LAY', user_id: 'user_1', client_order_id: 'mine' });
    for (const [reason, fields] of [
        ['INVALID_OUTCOME', { outcome_id: 'Everton' }],
        ['INVALID_PRICE', { price: 2.51 }],
        ['INVALID_PRICE', { price: 400_001, price_type: 'BASIS_POINTS' }],
        ['INVALID_QUANTITY', { quantity: 9 }],
        ['INVALID_EXPIRY', { time_in_force: 'GTD', expiry_ms: Date.now() - 1_000 }],
        ['SELF_TRADE', { user_id: 'user_1' }],
        ['DUPLICATE_CLIENT_ID', { side: 'LAY', user_id: 'user_1', client_order_id: 'mine' }],
    ] as const) {
        const response = await submit(market, fields);
        assert.deepEqual([response.status, response.rejection_reason], ['REJECTED', reason], response.message);
        assert.ok(response.message.length > 10, response.message);
    }
    await call(client, 'SuspendMarket', { market_id: market });
    assert.equal((await submit(market, {})).rejection_reason, 'MARKET_NOT_OPEN');
});

test('each status code', async () => {
    const market = await openMarket();
    for (const [code, starts, method, request] of [
        [status.NOT_FOUND, 'MARKET_NOT_FOUND', 'OpenMarket', { market_id: 'missing' }],
        [status.NOT_FOUND, 'ORDER_NOT_FOUND', 'CancelOrder', { market_id: market, order_id: '18446744073709551615' }],
        [status.ALREADY_EXISTS, 'MARKET_EXISTS', 'CreateMarket', { market_id: market, outcomes: OUTCOMES }],
        [status.FAILED_PRECONDITION, 'INVALID_TRANSITION', 'OpenMarket', { market_id: market }],
        [status.INVALID_ARGUMENT, 'INVALID_MARKET_ID', 'OpenMarket', { marketId: market }],
        [status.INVALID_ARGUMENT, 'INVALID_OUTCOMES', 'CreateMarket', { market_id: 'one', outcomes: ['one'] }],
    ] as const) {
        await assert.rejects(call(client, method, request), (error: any) => {
            assert.equal(error.code, code, error.details);
            assert.ok(error.details.startsWith(`${starts}:`), error.details);
            return true;
        });
    }
    for (const fields of [
        { price: NaN }, { price: Infinity }, { quantity: 0 }, { quantity: '18446744073709551615' }, { side: 'back' },
        { order_type: 'STOP' }, { price_type: 77 }, { user_id: 'x'.repeat(10 << 20) },
    ]) {
        await assert.rejects(submit(market, fields), (error: any) => {
            const codes: number[] = [status.INVALID_ARGUMENT, status.OUT_OF_RANGE, status.RESOURCE_EXHAUSTED];
            assert.ok(codes.includes(error.code), `${error.code}: ${error.details}`);
            return true;
        });
    }
    assert.equal((await submit(market, {})).status, 'RESTING');
});

test('a set is one trade with a leg per outcome', async () => {
    const market = await openMarket();
    for (const outcome_id of ['Draw', 'Arsenal']) {
        await submit(market, { outcome_id, price: 4, quantity: 5_000 });
    }
    const taker = await submit(market, { price: 2, quantity: 10_000 });
    assert.deepEqual([taker.status, taker.filled_quantity], ['FILLED', '10000']);
    const legs = taker.fills.map((fill: any) => [fill.outcome_id, fill.synthetic, fill.quantity, fill.taker_quantity, fill.payout]);
    assert.deepEqual(legs, [['Draw', true, '5000', '10000', '2000000'], ['Arsenal', true, '5000', '0', '2000000']]);
    assert.equal(taker.fills[0].trade_id, taker.fills[1].trade_id);
    // An optional field that says no.
    const plain = await openMarket({ synthetic_matching: false });
    for (const [outcome_id, price] of [['Draw', 4], ['Arsenal', 4], ['Liverpool', 2]] as const) {
        assert.equal((await submit(plain, { outcome_id, price })).status, 'RESTING');
    }
});

test('a binary market is traded in ticks', async () => {
    const market = await openMarket({ model: 'BINARY_YES', max_price_ticks: 100, outcomes: ['Yes', 'No'] });
    const form = { price_type: 'TICKS', side: 'BUY' };
    await submit(market, { ...form, outcome_id: 'Yes', price: 55 });
    const taker = await submit(market, { ...form, outcome_id: 'No', price: 45, quantity: 40 });
    const [fill] = taker.fills;
    assert.deepEqual([fill.outcome_id, fill.ticks, fill.odds, fill.price, fill.payout], ['No', 45, 0, '450000', '400000']);
    const book = await call(client, 'GetOrderBook', { market_id: market, outcome_id: 'No' });
    assert.deepEqual(book.asks.map((level: any) => [level.ticks, level.quantity]), [[45, '60']]);
});

test('an order on a quarter line has two halves', async () => {
    const market = await openMarket({ outcomes: ['Home_0.0', 'Away_0.0', 'Home_-0.5', 'Away_+0.5'] });
    const placed = await submit(market, { outcome_id: 'Home_-0.25', quantity: 101 });
    const legs = [1n, 2n].map((half) => String(BigInt(placed.order_id) + half));
    assert.deepEqual([placed.status, placed.leg_order_ids], ['RESTING', legs]);
    const cancelled = await call(client, 'CancelOrder', { market_id: market, order_id: placed.order_id });
    assert.equal(cancelled.cancelled_quantity, '101');
    const all = await call(client, 'CancelOrders', { market_id: market });
    assert.deepEqual([all.orders, all.done], ['0', true]);
});

test('quantities beyond 53 bits are strings and exact', async () => {
    const market = await openMarket();
    const quantity = '1000000000000';
    await submit(market, { price: 1000, quantity });
    const filled = await submit(market, { price: 1000, quantity, side: 'LAY' });
    assert.deepEqual([filled.status, filled.fills[0].payout], ['FILLED', '100000000000000000']);
    assert.equal(filled.fills[0].stake, '100000000000000');
});

test('a set takes fractions of a penny', async () => {
    const market = await openMarket();
    const small = await submit(market, { outcome_id: 'Draw', price: 3.4, quantity: 2, user_id: 'user_1' });
    await submit(market, { outcome_id: 'Draw', price: 3.4, quantity: 100_000, user_id: 'user_2' });
    await submit(market, { outcome_id: 'Arsenal', price: 4.2, quantity: 100_000, user_id: 'user_3' });
    const taker = await submit(market, { price: 2.1, quantity: 10_000, user_id: 'user_4' });
    assert.deepEqual([taker.status, taker.filled_quantity, taker.fills.length], ['FILLED', '10000', 4]);
    const [first, second] = taker.fills;
    assert.deepEqual([first.maker_order_id, first.quantity, first.stake, first.taker_stake], [small.order_id, '2', '105', '167']);
    const stakes = [first.stake, first.taker_stake, second.stake].map(BigInt);
    assert.equal(stakes.reduce((sum, stake) => sum + stake), BigInt(first.payout));
});

test('what a reduction leaves is nothing or enough', async () => {
    const market_id = await openMarket({ min_quantity: 50 });
    const { order_id } = await submit(market_id, {});
    await assert.rejects(call(client, 'CancelOrder', { market_id, order_id, keep_quantity: 49 }), (error: any) => {
        assert.equal(error.code, status.INVALID_ARGUMENT, error.details);
        assert.ok(error.details.startsWith('INVALID_QUANTITY: keep_quantity: '), error.details);
        return true;
    });
    const reduced = await call(client, 'CancelOrder', { market_id, order_id, keep_quantity: 50 });
    assert.deepEqual([reduced.status, reduced.remaining_quantity], ['RESTING', '50']);
});

test('events arrive by WebSocket', { timeout: 20_000 }, async (t) => {
    const socket = new WebSocket(`ws://localhost:${server.httpPort}/ws`);
    t.after(() => socket.terminate());
    await once(socket, 'open');
    const events: any[] = [];
    const closed = new Promise<void>((resolve) => {
        socket.on('message', (data) => {
            events.push(JSON.parse(data.toString()));
            if (events.at(-1).type === 'order_cancelled') {
                resolve();
            }
        });
    });
    const market_id = await openMarket({ name: 'Final' });
    await submit(market_id, { side: 'LAY', user_id: 'user_abc' });
    const back = await submit(market_id, { quantity: 150 });
    await call(client, 'CancelOrder', { market_id, order_id: back.order_id });
    await closed;
    const types = events.map((event) => event.type);
    assert.deepEqual(types, [
        'market_created', 'order_submit', 'order_submit', 'match', 'order_filled', 'order_cancelled',
    ]);
    const [created, submitted, , match] = events;
    assert.deepEqual([created.market_id, created.name, created.outcomes], [market_id, 'Final', OUTCOMES]);
    assert.deepEqual([submitted.side, submitted.price, submitted.size, submitted.user_id, submitted.expiry_ms],
        ['lay', 400_000, 100, 'user_abc', null]);
    assert.deepEqual([match.maker_side, match.taker_side, match.quantity, match.stake, match.is_cross_match],
        ['Short', 'Long', 100, 10_000, false]);
});

test('a restart keeps everything', async () => {
    const market_id = await openMarket();
    const first = await submit(market_id, { client_order_id: 'mine', user_id: 'user_1' });
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
        await server.end(signal);
        await server.start();
        const again = await submit(market_id, { client_order_id: 'mine', user_id: 'user_1' });
        assert.deepEqual([again.rejection_reason, again.order_id], ['DUPLICATE_CLIENT_ID', first.order_id]);
        const book = await call(client, 'GetOrderBook', { market_id, outcome_id: 'Liverpool' });
        assert.deepEqual([book.bids[0].odds, book.bids[0].quantity, book.asks], [2.5, '100', []]);
    }
});
