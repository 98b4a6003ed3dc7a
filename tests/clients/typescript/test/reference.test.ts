// The snippets of the API reference as they are printed there, one after the other on one server. What
// is ours is the waiting for each answer and the checks.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { connectAsPrinted } from './client.ts';
import { Server } from './server.ts';

let server: Server;
let client: any;

before(async () => {
    server = await Server.start();
    client = connectAsPrinted(server.grpcPort);
});

after(async () => {
    client?.close();
    await server?.close();
});

/** Lets a snippet run that calls back, and waits for its answer. */
function answer(snippet: (callback: (err: any, response: any) => void) => void): Promise<any> {
    return new Promise((resolve, reject) => {
        snippet((err, response) => (err ? reject(err) : resolve(response)));
    });
}

test('CreateMarket', async () => {
    const response = await answer((callback) => {
        client.CreateMarket({
            market_id: 'match_liverpool_arsenal',
            outcomes: ['Liverpool', 'Draw', 'Arsenal']
        }, callback);
    });
    assert.equal(response.status, 'CREATED');
});

test('OpenMarket', async () => {
    const response = await answer((callback) => {
        client.OpenMarket({
            market_id: 'match_liverpool_arsenal',
            reason: 'Match kicked off'
        }, callback);
    });
    assert.equal(response.status, 'OPEN');
});

let stream: any;
const updates: any[] = [];

test('SubscribeMarket', { timeout: 20_000 }, async () => {
    stream = client.SubscribeMarket({ market_id: 'match_liverpool_arsenal' });

    stream.on('data', (update: any) => {
        updates.push(update);
    });
    stream.on('error', () => {});
    await new Promise((resolve) => stream.once('metadata', resolve));
});

test('BACK and LAY', async () => {
    // BACK Liverpool to win at 2.50 odds, £100 stake
    const back = await answer((callback) => {
        client.SubmitOrder({
            market_id: 'match_liverpool_arsenal',
            outcome_id: 'Liverpool',
            side: 'BACK',
            price: 2.50,
            price_type: 1, // DECIMAL_ODDS
            quantity: 10000, // £100.00 in pence
            order_type: 'LIMIT',
            user_id: 'user_123'
        }, callback);
    });
    assert.equal(String(back.order_id), '1');
    assert.equal(back.status, 'RESTING');

    // LAY Liverpool (bet against them winning) at 2.50 odds
    const lay = await answer((callback) => {
        client.SubmitOrder({
            market_id: 'match_liverpool_arsenal',
            outcome_id: 'Liverpool',
            side: 'LAY',
            price: 2.50,
            price_type: 1,
            quantity: 10000,
            order_type: 'LIMIT',
            user_id: 'user_456'
        }, callback);
    });
    assert.equal(lay.status, 'FILLED');
    assert.deepEqual(lay.fills[0].maker_order_id, back.order_id);
    assert.equal(String(lay.fills[0].payout), '2500000');
});

test('the match is streamed', async () => {
    const trades = () => updates.filter((update) => update.match_event);
    const started = Date.now();
    while (trades().length === 0 && Date.now() - started < 10_000) {
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const [update] = trades();
    assert.equal(`Trade: ${update.match_event.quantity} @ ${update.match_event.price}`, 'Trade: 10000 @ 400000');
    assert.equal(String(update.match_event.maker_order_id), '1');
    stream.cancel();
});

test('MARKET', async () => {
    await answer((callback) => {
        client.SubmitOrder({
            market_id: 'match_liverpool_arsenal',
            outcome_id: 'Liverpool',
            side: 'LAY',
            price: 3.0,
            price_type: 1,
            quantity: 10000,
            order_type: 'LIMIT',
            user_id: 'user_456'
        }, callback);
    });
    // BACK at best available odds
    const response = await answer((callback) => {
        client.SubmitOrder({
            market_id: 'match_liverpool_arsenal',
            outcome_id: 'Liverpool',
            side: 'BACK',
            quantity: 10000,
            order_type: 'MARKET',
            user_id: 'user_123'
        }, callback);
    });
    assert.equal(response.status, 'FILLED');
    assert.equal(response.fills[0].odds, 3);
});

test('GetOrderBook and CancelOrder', async () => {
    const rest = (side: string, price: number) => answer((callback) => {
        client.SubmitOrder({
            market_id: 'match_liverpool_arsenal',
            outcome_id: 'Liverpool',
            side,
            price,
            price_type: 1,
            quantity: 700,
            order_type: 'LIMIT',
            user_id: 'user_456'
        }, callback);
    });
    await rest('BACK', 4.0);
    const lay = await rest('LAY', 2.5);
    const book = () => answer((callback) => {
        client.GetOrderBook({
            market_id: 'match_liverpool_arsenal',
            outcome_id: 'Liverpool',
            depth: 5 // Top 5 price levels
        }, callback);
    });
    const response = await book();
    // 'Best BACK available:' and 'Best LAY available:'
    assert.equal(String(response.asks[0]?.price), '400000');
    assert.equal(String(response.bids[0]?.price), '250000');
    assert.deepEqual([String(response.asks[0].quantity), response.asks[0].order_count], ['700', 1]);
    assert.equal(response.overround, 0.4);

    const cancelled = await answer((callback) => {
        client.CancelOrder({
            market_id: 'match_liverpool_arsenal',
            order_id: lay.order_id
        }, callback);
    });
    assert.equal(cancelled.status, 'CANCELLED');
    assert.equal((await book()).asks, undefined);
});

test('SuspendMarket and CloseMarket', async () => {
    for (const [method, status] of [['SuspendMarket', 'SUSPENDED'], ['CloseMarket', 'CLOSED']]) {
        const response = await answer((callback) => {
            client[method]({ market_id: 'match_liverpool_arsenal' }, callback);
        });
        assert.equal(response.status, status);
    }
});
