//! Finds the library by pkg-config, unless it is found at run time.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let wanted = |name| std::env::var_os(name).is_some();
    if wanted("CARGO_FEATURE_LOAD") || wanted("DOCS_RS") {
        return;
    }
    match pkg_config::Config::new().range_version("0.1".."0.2").statik(false).probe("parallelstate") {
        Ok(library) => {
            if let Some(include) = library.include_paths.first() {
                println!("cargo:include={}", include.display());
            }
        }
        Err(error) => {
            eprintln!(
                "error: no ParallelState library of version 0.1.x was found by pkg-config:\n\n{error}\n\n\
                 If it is installed under a prefix of its own, say where:\n    \
                 PKG_CONFIG_PATH=<prefix>/lib/pkgconfig cargo build\n\
                 and at run time LD_LIBRARY_PATH=<prefix>/lib, unless the loader knows it. To build without the \
                 library and find it\nat run time, use the feature `load` (cargo build --features load)."
            );
            std::process::exit(1);
        }
    }
}
