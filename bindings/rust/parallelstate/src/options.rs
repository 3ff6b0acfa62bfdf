//! How contexts, groups, layouts' groups and stores are made. What is not set is the default: from the environment for a context, from
//! the context for a group.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parallelstate_sys as sys;

use crate::log::{self, LogFunction, Registered};
use crate::values::{deadline_ms, OptionalText};
use crate::{CheckMode, LogLevel, Result};

macro_rules! text_setters {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: impl Into<String>) -> Self {
            self.$name = Some($name.into());
            self
        }
    )*};
}

macro_rules! value_setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.$name = $name.into();
            self
        }
    )*};
}

macro_rules! flag_setters {
    ($($(#[$doc:meta])* $name:ident = $flag:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, chosen: bool) -> Self {
            if chosen {
                self.flags |= sys::$flag;
            } else {
                self.flags &= !sys::$flag;
            }
            self
        }
    )*};
}

/// How a rank joins; see [`Context::init`](crate::Context::init). What is not set comes from the environment (`PS_*`,
/// then psctl run, torchrun, mpirun, srun), then from the default.
///
/// ```
/// # use std::time::Duration;
/// let config = parallelstate::Config::new()
///     .rank(0, 1)
///     .rendezvous("mem://example")
///     .timeout(Duration::from_secs(60))
///     .log(|level, text| eprintln!("{level:?} {text}"));
/// ```
#[derive(Clone, Default)]
pub struct Config {
    flags: u32,
    rank: i32,
    world_size: i32,
    local_rank: i32,
    local_size: i32,
    replica: i32,
    replica_count: i32,
    rendezvous: Option<String>,
    job: Option<String>,
    secret: Option<String>,
    network: Option<String>,
    device: Option<String>,
    backend: Option<String>,
    dispatch: Option<String>,
    plugins: Option<String>,
    nccl_library: Option<String>,
    pub(crate) log: Option<Arc<LogFunction>>,
    timeout: Option<Duration>,
    init_timeout: Option<Duration>,
    max_object_bytes: u64,
    host_buffer_bytes: u64,
    log_level: Option<LogLevel>,
    check_mode: Option<CheckMode>,
}

impl Config {
    /// Everything from the environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// This rank, and the number of ranks in the world (with [`replica`](Self::replica), in its replica).
    pub fn rank(mut self, rank: i32, world_size: i32) -> Self {
        (self.rank, self.world_size) = (rank, world_size);
        self
    }

    /// This rank's place on its host, and the number of ranks there.
    pub fn local_rank(mut self, local_rank: i32, local_size: i32) -> Self {
        (self.local_rank, self.local_size) = (local_rank, local_size);
        self
    }

    /// The world spans `count` replicas, this rank is in replica `replica`.
    pub fn replica(mut self, replica: i32, count: i32) -> Self {
        (self.replica, self.replica_count) = (replica, count);
        self
    }

    /// The log goes to `function` instead of stderr, from any thread. It must not call this crate. A panic in it ends
    /// there.
    pub fn log(mut self, function: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Self {
        self.log = Some(Arc::new(function));
        self
    }

    text_setters! {
        /// `tcp://host:port`, `unix:///path`, `file:///dir`, `mem://name` (ranks are threads of this process),
        /// `fd://N`, or the address of a served store.
        rendezvous;
        /// A name that keeps strangers and stale ranks apart.
        job;
        /// Proven by every connection, never sent, logged or described.
        secret;
        /// Interface name or address to use.
        network;
        /// `"cuda:1"`, `"cpu"`.
        device;
        /// `"auto"`, `"shm"` (within a host), `"gloo"` (anywhere); the same on all ranks.
        backend;
        /// Rules that override the dispatch table; must agree on all ranks.
        dispatch;
        /// Reserved: [`ResultCode::UNSUPPORTED`](crate::ResultCode::UNSUPPORTED).
        plugins;
        /// Path of the NCCL library.
        nccl_library;
    }

    value_setters! {
        /// The deadline of operations; by default 30 minutes.
        timeout: Duration;
        /// The deadline of joining; by default 5 minutes.
        init_timeout: Duration;
        /// Reserved: the largest object that is received; by default 1 GiB.
        max_object_bytes: u64;
        /// Shared memory per rank and communicator, at most; by default 4 MiB.
        host_buffer_bytes: u64;
        /// How much is logged; by default `PS_LOG_LEVEL`, else errors.
        log_level: LogLevel;
        /// How device operations are compared.
        check_mode: CheckMode;
    }

    flag_setters! {
        /// Results do not depend on size, timing, algorithm, hosts or backend either.
        deterministic = PS_DETERMINISTIC;
        /// Connect the world's group now, not at its first operation.
        warm_up = PS_WARM_UP;
        /// Host memory only; no device is touched.
        host_only = PS_HOST_ONLY;
        /// Bind beyond loopback without a secret.
        allow_unauthenticated = PS_ALLOW_UNAUTHENTICATED;
        /// Ignore the variables that say who a rank is and how its world is set up.
        no_environment = PS_NO_ENVIRONMENT;
        /// Several ranks may use one device.
        share_device = PS_SHARE_DEVICE;
    }

    /// Calls `with` with the struct, whose strings live that long.
    pub(crate) fn with_raw(
        &self,
        log: Option<&Registered>,
        with: impl FnOnce(&sys::psConfig) -> Result<()>,
    ) -> Result<()> {
        let rendezvous = OptionalText::new(&self.rendezvous, "rendezvous")?;
        let job = OptionalText::new(&self.job, "job")?;
        let secret = OptionalText::new(&self.secret, "secret")?;
        let network = OptionalText::new(&self.network, "network")?;
        let device = OptionalText::new(&self.device, "device")?;
        let backend = OptionalText::new(&self.backend, "backend")?;
        let dispatch = OptionalText::new(&self.dispatch, "dispatch")?;
        let plugins = OptionalText::new(&self.plugins, "plugins")?;
        let nccl_library = OptionalText::new(&self.nccl_library, "nccl_library")?;
        with(&sys::psConfig {
            flags: self.flags,
            rank: self.rank,
            world_size: self.world_size,
            local_rank: self.local_rank,
            local_size: self.local_size,
            replica: self.replica,
            replica_count: self.replica_count,
            rendezvous: rendezvous.as_ptr(),
            job: job.as_ptr(),
            secret: secret.as_ptr(),
            network: network.as_ptr(),
            device: device.as_ptr(),
            backend: backend.as_ptr(),
            dispatch: dispatch.as_ptr(),
            plugins: plugins.as_ptr(),
            nccl_library: nccl_library.as_ptr(),
            log: log.map(|_| log::callback as _),
            log_user: log.map_or(std::ptr::null_mut(), Registered::user),
            timeout_ms: deadline_ms(self.timeout, "timeout")?,
            init_timeout_ms: deadline_ms(self.init_timeout, "init_timeout")?,
            max_object_bytes: self.max_object_bytes,
            host_buffer_bytes: self.host_buffer_bytes,
            log_level: self.log_level.map_or(0, LogLevel::as_raw),
            check_mode: self.check_mode.map_or(0, CheckMode::as_raw),
            ..sys::psConfig::default()
        })
    }
}

impl fmt::Debug for Config {
    /// Without the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("rank", &self.rank)
            .field("world_size", &self.world_size)
            .field("rendezvous", &self.rendezvous)
            .field("job", &self.job)
            .finish_non_exhaustive()
    }
}

/// How a group is made; see [`Context::new_group`](crate::Context::new_group).
#[derive(Clone, Debug, Default)]
pub struct GroupOptions {
    flags: u32,
    name: Option<String>,
    backend: Option<String>,
    backend_options: Option<String>,
    timeout: Option<Duration>,
    max_object_bytes: u64,
    host_buffer_bytes: u64,
}

impl GroupOptions {
    /// The context's settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// The context's settings, and a name for messages and matching, of 63 bytes at most.
    pub fn named(name: impl Into<String>) -> Self {
        Self::default().name(name)
    }

    text_setters! {
        /// For messages and matching, at most 63 bytes.
        name;
        /// As for a context.
        backend;
        /// `key=value,...`; unknown keys are refused.
        backend_options;
    }

    value_setters! {
        /// The deadline of its operations.
        timeout: Duration;
        /// Reserved: the largest object that is received.
        max_object_bytes: u64;
        /// Shared memory per rank, at most.
        host_buffer_bytes: u64;
    }

    flag_setters! {
        /// Results do not depend on size, timing, algorithm, hosts or backend either.
        deterministic = PS_DETERMINISTIC;
        /// Do not share a communicator with groups of equal members.
        own_communicator = PS_OWN_COMMUNICATOR;
        /// Connect now, not at the first operation.
        warm_up = PS_WARM_UP;
        /// Host memory only; no device is touched.
        host_only = PS_HOST_ONLY;
    }

    pub(crate) fn with_raw(&self, with: impl FnOnce(&sys::psGroupOptions) -> Result<()>) -> Result<()> {
        let name = OptionalText::new(&self.name, "name")?;
        let backend = OptionalText::new(&self.backend, "backend")?;
        let backend_options = OptionalText::new(&self.backend_options, "backend_options")?;
        with(&sys::psGroupOptions {
            flags: self.flags,
            name: name.as_ptr(),
            backend: backend.as_ptr(),
            backend_options: backend_options.as_ptr(),
            timeout_ms: deadline_ms(self.timeout, "timeout")?,
            max_object_bytes: self.max_object_bytes,
            host_buffer_bytes: self.host_buffer_bytes,
            ..sys::psGroupOptions::default()
        })
    }
}

/// How the groups of a layout are made; see [`Context::init_model_parallel`](crate::Context::init_model_parallel).
#[derive(Clone, Debug, Default)]
pub struct ModelParallelOptions {
    flags: u32,
    backend_options: Option<String>,
    timeout: Option<Duration>,
}

impl ModelParallelOptions {
    /// The context's settings.
    pub fn new() -> Self {
        Self::default()
    }

    text_setters! {
        /// For each name, `tp:key=value,...;dp:...`; unknown names and keys are refused.
        backend_options;
    }

    value_setters! {
        /// The deadline of their operations.
        timeout: Duration;
    }

    flag_setters! {
        /// Results do not depend on size, timing, algorithm, hosts or backend either.
        deterministic = PS_DETERMINISTIC;
        /// Connect now, not at the first operation.
        warm_up = PS_WARM_UP;
        /// Host memory only; no device is touched.
        host_only = PS_HOST_ONLY;
    }

    pub(crate) fn with_raw(&self, with: impl FnOnce(&sys::psModelParallelOptions) -> Result<()>) -> Result<()> {
        let backend_options = OptionalText::new(&self.backend_options, "backend_options")?;
        with(&sys::psModelParallelOptions {
            flags: self.flags,
            backend_options: backend_options.as_ptr(),
            timeout_ms: deadline_ms(self.timeout, "timeout")?,
            ..sys::psModelParallelOptions::default()
        })
    }
}

/// How a store is opened; see [`Store::open`](crate::Store::open) and [`Store::serve`](crate::Store::serve).
#[derive(Clone, Default)]
pub struct StoreOptions {
    pub(crate) flags: u32,
    secret: Option<String>,
    network: Option<String>,
    timeout: Option<Duration>,
    max_value_bytes: u64,
}

impl StoreOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    text_setters! {
        /// By default `PS_SECRET`, the contents of `PS_SECRET_FILE`, else none.
        secret;
        /// Interface name or address to bind or use.
        network;
    }

    value_setters! {
        /// The store's deadline; by default 5 minutes.
        timeout: Duration;
        /// The largest value; by default 64 MiB.
        max_value_bytes: u64;
    }

    flag_setters! {
        /// Bind beyond loopback without a secret.
        allow_unauthenticated = PS_ALLOW_UNAUTHENTICATED;
    }

    pub(crate) fn with_raw(&self, with: impl FnOnce(&sys::psStoreOptions) -> Result<()>) -> Result<()> {
        let secret = OptionalText::new(&self.secret, "secret")?;
        let network = OptionalText::new(&self.network, "network")?;
        with(&sys::psStoreOptions {
            flags: self.flags,
            secret: secret.as_ptr(),
            network: network.as_ptr(),
            timeout_ms: deadline_ms(self.timeout, "timeout")?,
            max_value_bytes: self.max_value_bytes,
            ..sys::psStoreOptions::default()
        })
    }
}

impl fmt::Debug for StoreOptions {
    /// Without the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoreOptions")
            .field("network", &self.network)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
