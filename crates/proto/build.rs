//! Compiles `proto/orderbook.proto` without needing `protoc`.

use std::path::PathBuf;
use std::{env, error::Error, fs};

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../../proto/orderbook.proto");
    let descriptors = protox::compile(["orderbook.proto"], ["../../proto"])?;
    // For server reflection.
    let out = PathBuf::from(env::var("OUT_DIR")?).join("orderbook.bin");
    fs::write(out, descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
