//! Generates messages, clients and servers from the descriptions in `proto/`.

fn main() -> std::io::Result<()> {
    const FILES: [&str; 8] = [
        "proto/metapb.proto",
        "proto/errorpb.proto",
        "proto/kvrpcpb.proto",
        "proto/tikvpb.proto",
        "proto/cdcpb.proto",
        "proto/pdpb.proto",
        "proto/keyspacepb.proto",
        "proto/tgpeer.proto",
    ];
    println!("cargo:rerun-if-changed=proto");
    tonic_prost_build::configure().bytes(".").emit_rerun_if_changed(false).compile_protos(&FILES, &["proto"])
}
