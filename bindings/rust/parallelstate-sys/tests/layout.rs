//! The declarations against the header: what a C compiler says about structs and constants.

use std::fmt::Write;
use std::mem::{size_of, MaybeUninit};
use std::process::Command;
use std::ptr::addr_of;

use parallelstate_sys::*;

/// Pairs of what C prints and what Rust has.
struct Comparison {
    statements: String,
    expected: String,
}

macro_rules! structs {
    ($comparison:ident; $($name:ident = $init:ident { $($field:ident)* })*) => {$(
        $comparison.add(concat!("sizeof(", stringify!($name), ")"), size_of::<$name>() as i64);
        let place = MaybeUninit::<$name>::uninit();
        $(
            // SAFETY: an address within the object; nothing is read.
            let offset = unsafe { addr_of!((*place.as_ptr()).$field) } as usize - place.as_ptr() as usize;
            $comparison.add(concat!("offsetof(", stringify!($name), ", ", stringify!($field), ")"), offset as i64);
            let size = size_of_field(|object: &$name| addr_of!(object.$field));
            $comparison.add(concat!("sizeof(((", stringify!($name), "*)0)->", stringify!($field), ")"), size as i64);
        )*
        $comparison.add_bytes(stringify!($name), stringify!($init), &$name::default());
    )*};
}

macro_rules! constants {
    ($comparison:ident; $($name:ident)*) => {
        $($comparison.add(stringify!($name), i64::from($name));)*
    };
}

fn size_of_field<T, F>(_: impl Fn(&T) -> *const F) -> usize {
    size_of::<F>()
}

impl Comparison {
    fn add(&mut self, expression: &str, value: i64) {
        writeln!(self.statements, "printf(\"{expression} %lld\\n\", (long long)({expression}));").unwrap();
        writeln!(self.expected, "{expression} {value}").unwrap();
    }

    /// The macro and the default are the same bytes.
    fn add_bytes<T>(&mut self, name: &str, init: &str, value: &T) {
        let print = "for (size_t i = 0; i < sizeof s; ++i) printf(\"%02x\", p[i]); printf(\"\\n\");";
        writeln!(self.statements, "{{ {name} s = {init}; const unsigned char* p = (void*)&s; {print} }}").unwrap();
        // SAFETY: structs without padding, all of whose fields are set.
        let bytes = unsafe { std::slice::from_raw_parts((value as *const T).cast::<u8>(), size_of::<T>()) };
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(self.expected, "{digits}").unwrap();
    }

    fn run(&self) -> String {
        let flags = Command::new("pkg-config").args(["--cflags", "parallelstate"]).output().expect("pkg-config");
        let flags = String::from_utf8(flags.stdout).unwrap();
        let source = format!(
            "#include <parallelstate.h>\n#include <stdio.h>\nint main(void) {{\n{}return 0;\n}}\n",
            self.statements
        );
        let folder = env!("CARGO_TARGET_TMPDIR");
        let (code, program) = (format!("{folder}/layout.c"), format!("{folder}/layout"));
        std::fs::write(&code, source).unwrap();
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let compiled = Command::new(compiler)
            .arg("-std=c11")
            .args(flags.split_whitespace())
            .args(["-o", &program, &code])
            .status()
            .expect("a C compiler");
        assert!(compiled.success());
        String::from_utf8(Command::new(program).output().unwrap().stdout).unwrap()
    }
}

#[test]
fn structs_and_constants_are_the_compilers() {
    let mut comparison = Comparison { statements: String::new(), expected: String::new() };
    structs! { comparison;
        psConfig = PS_CONFIG_INIT {
            struct_size flags rank world_size local_rank local_size replica replica_count rendezvous job
            secret network device backend dispatch plugins nccl_library log log_user timeout_ms
            init_timeout_ms max_object_bytes host_buffer_bytes log_level check_mode
        }
        psWorldInfo = PS_WORLD_INFO_INIT {
            struct_size rank world_size local_rank local_size node node_count replica replica_count
            device_index failure failed_global_rank failure_text layout_spec worker_suffix
        }
        psRankInfo = PS_RANK_INFO_INIT {
            struct_size state node local_rank pid device_index hostname address silent_ms
        }
        psStoreOptions = PS_STORE_OPTIONS_INIT {
            struct_size flags secret network timeout_ms max_value_bytes
        }
        psGroupOptions = PS_GROUP_OPTIONS_INIT {
            struct_size flags name backend backend_options timeout_ms max_object_bytes host_buffer_bytes
        }
        psGroupInfo = PS_GROUP_INFO_INIT {
            struct_size rank size host_count global_rank global_first global_last global_next global_prev
            flags failure failed_global_rank failure_text name host_backend device_backend timeout_ms
        }
        psMessage = PS_MESSAGE_INIT {
            struct_size direction buffer count dtype peer tag flags
        }
        psLayoutInfo = PS_LAYOUT_INFO_INIT {
            struct_size world_size hash name_count axis_count spec
        }
        psModelParallelOptions = PS_MODEL_PARALLEL_OPTIONS_INIT {
            struct_size flags backend_options timeout_ms
        }
    }
    constants! { comparison;
        PS_VERSION_MAJOR PS_VERSION_MINOR PS_VERSION_PATCH PS_VERSION PS_OK PS_IN_PROGRESS PS_ERR_ARGUMENT
        PS_ERR_STATE PS_ERR_UNSUPPORTED PS_ERR_NO_MEMORY PS_ERR_SYSTEM PS_ERR_PEER_FAILED PS_ERR_TIMEOUT
        PS_ERR_ABORTED PS_ERR_BACKEND PS_ERR_INTERNAL PS_ERR_MISMATCH PS_ERR_NOT_FOUND PS_ERR_CLOSED
        PS_ERR_DENIED PS_INT8 PS_INT16 PS_INT32 PS_INT64 PS_UINT8 PS_UINT16 PS_UINT32 PS_UINT64 PS_FLOAT16
        PS_BFLOAT16 PS_FLOAT32 PS_FLOAT64 PS_FLOAT8_E4M3 PS_FLOAT8_E5M2 PS_BOOL PS_SUM PS_PRODUCT PS_MIN PS_MAX
        PS_AVG PS_BIT_AND PS_BIT_OR PS_BIT_XOR PS_LOGICAL_AND PS_LOGICAL_OR PS_LOGICAL_XOR PS_PREMUL_SUM
        PS_CONTENT_BYTES PS_CONTENT_TEXT PS_CONTENT_JSON PS_CONTENT_PLAIN PS_CONTENT_DICT PS_CONTENT_INT64
        PS_CONTENT_FLOAT64 PS_CONTENT_BOOL PS_CONTENT_PICKLE PS_CONTENT_USER PS_DEVICE_HOST PS_DEVICE_CUDA
        PS_DEVICE_ROCM PS_DEVICE_XPU PS_DEVICE_HPU PS_DEVICE_NPU PS_DEVICE_MUSA PS_DEVICE_MLU PS_DEVICE_PLUGIN
        PS_LOG_OFF PS_LOG_ERROR PS_LOG_WARN
        PS_LOG_INFO PS_LOG_DEBUG PS_LOG_TRACE PS_CHECK_OFF PS_CHECK_LATE PS_CHECK_STRICT PS_RANK_ALIVE
        PS_RANK_SILENT PS_RANK_LEFT PS_RANK_DEAD PS_SEND PS_RECV PS_DETERMINISTIC PS_OWN_COMMUNICATOR PS_WARM_UP
        PS_HOST_ONLY PS_ALLOW_UNAUTHENTICATED PS_SERVE PS_NO_ENVIRONMENT PS_SHARE_DEVICE PS_NO_RANK PS_NO_COLOR
        PS_NEXT PS_PREV
    }
    assert_eq!(comparison.run(), comparison.expected);
}
