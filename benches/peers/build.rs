//! Compiles the shim to libsrtp, if that rival is asked for.

fn main() {
    println!("cargo::rerun-if-changed=src/libsrtp.c");
    #[cfg(feature = "libsrtp")]
    {
        cc::Build::new()
            .file("src/libsrtp.c")
            .warnings(true)
            .compile("peers_libsrtp");
        println!("cargo::rustc-link-lib=srtp2");
    }
}
