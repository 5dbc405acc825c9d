//! The pages are built by npm before cargo runs (see the Makefile), never from here: all this does is let cargo see
//! when they changed. An empty folder stands in for pages that were not built; the server then says how to.

fn main() {
    // On a read-only source tree the folder stays missing, which the embedding allows.
    let _ = std::fs::create_dir_all("web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=web/dist");
}
