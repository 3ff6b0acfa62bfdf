//! A context: one rank of one world.

use std::os::raw::c_char;
use std::ptr;
use std::time::Duration;

use parallelstate_sys as sys;

use crate::error::check;
use crate::layout::spec_for;
use crate::log::Registered;
use crate::values::{c_text, copied, non_negative};
use crate::{
    parked, Bytes, Config, Error, Group, GroupOptions, LayoutSpec, ModelParallelOptions, RankState, Result, ResultCode,
    Store,
};

/// One rank of one world. Several may live in a process, of one world or of several.
///
/// Every method may be called from any thread. Groups, stores and works do not borrow it: after it ended they answer
/// [`ResultCode::STATE`], and any order of destruction is safe.
///
/// Dropping it leaves the world as [`finalize`](Self::finalize) does, and waits as long, without its error.
#[derive(Debug)]
pub struct Context {
    handle: sys::psContext,
    info: WorldInfo,
    log: Option<Registered>,
}

// SAFETY: "Any function from any thread". It is freed by value, so never beside another use of this handle.
unsafe impl Send for Context {}
unsafe impl Sync for Context {}

impl Context {
    /// Joins the world; returns on all ranks once all have arrived.
    ///
    /// With `Config::new()` everything comes from the environment of `psctl run`, torchrun, mpirun or srun; without one
    /// it is rank 0 of 1.
    pub fn init(config: &Config) -> Result<Context> {
        sys::load()?;
        parked::sweep();
        let log = config.log.clone().map(Registered::new);
        let mut handle = ptr::null_mut();
        // SAFETY: the strings live during the call; the log function until after psFinalize.
        config.with_raw(log.as_ref(), |raw| check(unsafe { sys::psInit(raw, &mut handle) }))?;
        let mut context = Context { handle, info: WorldInfo::default(), log };
        context.info = context.world_info()?;
        Ok(context)
    }

    /// This rank in the world.
    pub fn rank(&self) -> i32 {
        self.info.rank
    }

    /// The number of ranks in the world.
    pub fn world_size(&self) -> i32 {
        self.info.world_size
    }

    /// This rank's place on its host.
    pub fn local_rank(&self) -> i32 {
        self.info.local_rank
    }

    /// The number of ranks on this host.
    pub fn local_size(&self) -> i32 {
        self.info.local_size
    }

    /// Everything about the world and this rank, now.
    pub fn world_info(&self) -> Result<WorldInfo> {
        let mut raw = sys::psWorldInfo::default();
        // SAFETY: a living handle; the strings live until psFinalize and are copied.
        unsafe {
            check(sys::psGetWorldInfo(self.handle, &mut raw))?;
            Ok(WorldInfo {
                rank: raw.rank,
                world_size: raw.world_size,
                local_rank: raw.local_rank,
                local_size: raw.local_size,
                node: raw.node,
                node_count: raw.node_count,
                replica: raw.replica,
                replica_count: raw.replica_count,
                device_index: non_negative(raw.device_index),
                failure: failure(raw.failure, raw.failure_text),
                failed_global_rank: non_negative(raw.failed_global_rank),
                layout_spec: copied(raw.layout_spec),
                worker_suffix: copied(raw.worker_suffix).unwrap_or_default(),
            })
        }
    }

    /// One rank's host, process and state.
    pub fn rank_info(&self, global_rank: i32) -> Result<RankInfo> {
        let mut raw = sys::psRankInfo::default();
        // SAFETY: as above.
        unsafe {
            check(sys::psGetRankInfo(self.handle, global_rank, &mut raw))?;
            Ok(RankInfo {
                state: RankState::from_raw(raw.state),
                node: raw.node,
                local_rank: raw.local_rank,
                pid: raw.pid,
                device_index: non_negative(raw.device_index),
                hostname: copied(raw.hostname).unwrap_or_default(),
                address: copied(raw.address).unwrap_or_default(),
                silent: Duration::from_millis(raw.silent_ms.try_into().unwrap_or(0)),
            })
        }
    }

    /// JSON: configuration (without the secret), ranks, hosts, groups, memory, times, and the last operation of every
    /// rank on this host. Works on a failed context and beside blocked calls.
    pub fn describe(&self) -> Result<String> {
        let mut json = ptr::null_mut();
        // SAFETY: a living handle; the bytes are freed here.
        unsafe {
            check(sys::psDescribe(self.handle, &mut json))?;
            Ok(Bytes::from_raw(json).to_text())
        }
    }

    /// The group of all ranks.
    pub fn world(&self) -> Result<Group> {
        self.group("world")
    }

    /// A group of the context by its name; [`ResultCode::NOT_FOUND`] lists what exists.
    pub fn group(&self, name: &str) -> Result<Group> {
        let name = c_text(name, "name")?;
        let mut group = ptr::null_mut();
        // SAFETY: a living handle and string; the reference is the new object's.
        unsafe {
            check(sys::psGetGroup(self.handle, name.as_ptr(), &mut group))?;
            Group::from_raw(group)
        }
    }

    /// A group of the listed world ranks, in that order. Only they call this, all with the same list and options.
    ///
    /// Members that make several groups make them in the same order, or under different names.
    pub fn new_group(&self, global_ranks: &[i32], options: &GroupOptions) -> Result<Group> {
        parked::sweep();
        let mut group = ptr::null_mut();
        // SAFETY: the list and the options live during the call; the handle is the new object's.
        unsafe {
            options.with_raw(|raw| {
                check(sys::psNewGroup(self.handle, global_ranks.as_ptr(), global_ranks.len(), raw, &mut group))
            })?;
            Group::from_raw(group)
        }
    }

    /// Makes all groups of a layout in one step; [`group`](Self::group) then gives them by name. All ranks call it, with
    /// one layout: a spec, or a [`Layout`](crate::Layout) of this world.
    ///
    /// An empty spec means that of `PS_LAYOUT`. [`ResultCode::MISMATCH`] says which ranks want what,
    /// [`ResultCode::STATE`] that there is a layout already.
    ///
    /// ```no_run
    /// # fn main() -> parallelstate::Result<()> {
    /// # let context = parallelstate::Context::init(&parallelstate::Config::new())?;
    /// context.init_model_parallel("sglang:tp=2,pp=2", &parallelstate::ModelParallelOptions::new())?;
    /// let tp = context.group("tp")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn init_model_parallel(
        &self,
        layout: &(impl LayoutSpec + ?Sized),
        options: &ModelParallelOptions,
    ) -> Result<()> {
        // SAFETY: what `form` passes is living.
        self.form(layout, options, |spec, raw| unsafe { sys::psInitModelParallel(self.handle, spec, raw) })
    }

    /// [`init_model_parallel`](Self::init_model_parallel) where there is no layout yet. `Ok` where there is this one;
    /// where there is another, [`ResultCode::STATE`] with the difference.
    pub fn ensure_model_parallel(
        &self,
        layout: &(impl LayoutSpec + ?Sized),
        options: &ModelParallelOptions,
    ) -> Result<()> {
        // SAFETY: as above.
        self.form(layout, options, |spec, raw| unsafe { sys::psEnsureModelParallel(self.handle, spec, raw) })
    }

    fn form(
        &self,
        layout: &(impl LayoutSpec + ?Sized),
        options: &ModelParallelOptions,
        call: impl FnOnce(*const c_char, *const sys::psModelParallelOptions) -> sys::psResult,
    ) -> Result<()> {
        let spec = c_text(spec_for(layout, self.world_size())?, "layout")?;
        parked::sweep();
        options.with_raw(|raw| check(call(spec.as_ptr(), raw)))
    }

    /// Whether there are groups of a layout.
    pub fn is_model_parallel_initialized(&self) -> Result<bool> {
        let mut initialized = 0;
        // SAFETY: a living handle.
        check(unsafe { sys::psModelParallelIsInitialized(self.handle, &mut initialized) })?;
        Ok(initialized != 0)
    }

    /// Drops the groups of the layout; a [`Group`] that was got by name lives on until it is dropped. Waits as
    /// [`Group::close`] does. Without a layout it does nothing; another may follow.
    pub fn destroy_model_parallel(&self) -> Result<()> {
        parked::sweep();
        // SAFETY: a living handle.
        check(unsafe { sys::psDestroyModelParallel(self.handle) })
    }

    /// The world's store.
    pub fn store(&self) -> Result<Store> {
        let mut store = ptr::null_mut();
        // SAFETY: a living handle; the reference is the new object's.
        unsafe {
            check(sys::psGetStore(self.handle, &mut store))?;
            Ok(Store::from_raw(store))
        }
    }

    /// Fails every group of the context that exists, on all members, with [`ResultCode::ABORTED`] and the reason. Ends
    /// calls that are blocked in other threads. Idempotent.
    pub fn abort(&self, reason: &str) -> Result<()> {
        let reason = c_text(reason, "reason")?;
        // SAFETY: a living handle and string.
        check(unsafe { sys::psAbort(self.handle, reason.as_ptr()) })
    }

    /// Leaves the world. Sends that returned are still delivered; calls that are blocked in other threads and
    /// unfinished operations end with [`ResultCode::ABORTED`]. Peers need not call anything; it waits at most 5 seconds
    /// on the rank that hosts the store for the others to leave, and some seconds for each communicator whose peers are in
    /// this rank's memory or, on another host, do not take what was sent to them.
    pub fn finalize(mut self) -> Result<()> {
        self.leave()
    }

    fn leave(&mut self) -> Result<()> {
        let handle = std::mem::replace(&mut self.handle, ptr::null_mut());
        // SAFETY: consumed once; NULL the second time is legal.
        let result = check(unsafe { sys::psFinalize(handle) });
        self.log = None;
        parked::sweep();
        result
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            let _ = self.leave();
        }
    }
}

/// See [`Context::world_info`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WorldInfo {
    /// This rank in the world.
    pub rank: i32,
    /// The number of ranks.
    pub world_size: i32,
    /// This rank's place on its host.
    pub local_rank: i32,
    /// The number of ranks on this host.
    pub local_size: i32,
    /// This host's number; hosts are numbered by their first rank.
    pub node: i32,
    /// The number of hosts.
    pub node_count: i32,
    /// This rank's replica.
    pub replica: i32,
    /// 0: the world is not made of replicas.
    pub replica_count: i32,
    /// This rank's device.
    pub device_index: Option<i32>,
    /// Why the context failed (by abort only).
    pub failure: Option<Error>,
    /// Whose failure it was.
    pub failed_global_rank: Option<i32>,
    /// The model-parallel layout, where there is one.
    pub layout_spec: Option<String>,
    /// Empty without model-parallel state.
    pub worker_suffix: String,
}

/// See [`Context::rank_info`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RankInfo {
    /// How it is.
    pub state: RankState,
    /// Its host's number.
    pub node: i32,
    /// Its place on its host.
    pub local_rank: i32,
    /// Its process.
    pub pid: i32,
    /// Its device.
    pub device_index: Option<i32>,
    /// Its host's name.
    pub hostname: String,
    /// Its process's address, as its peers see it.
    pub address: String,
    /// The time since its last heartbeat; zero where ranks are threads of this process.
    pub silent: Duration,
}

/// # Safety
/// As [`copied`].
pub(crate) unsafe fn failure(result: sys::psResult, text: *const c_char) -> Option<Error> {
    if result == sys::PS_OK {
        return None;
    }
    // SAFETY: as here.
    let text = unsafe { copied(text) };
    Some(Error::new(ResultCode::from_raw(result), text.unwrap_or_default()))
}
