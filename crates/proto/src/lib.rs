//! The wire types of BetEx, generated from `proto/orderbook.proto`; nothing else.

/// Package `orderbook.v1`: messages, the client, and the trait that a server implements.
pub mod v1 {
    #![expect(missing_docs, reason = "what has something to say says so in the proto file")]
    #![allow(clippy::all, unreachable_pub)]
    tonic::include_proto!("orderbook.v1");
}

/// The encoded `FileDescriptorSet` of the package, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/orderbook.bin"));
