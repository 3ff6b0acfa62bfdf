//! ParallelState: a world of ranks, named parallel groups, and coordinated communication through them.
//!
//! ```no_run
//! use parallelstate::{Config, Context, ReduceOp};
//!
//! # fn main() -> parallelstate::Result<()> {
//! let context = Context::init(&Config::new())?; // rank and world size from `psctl run`, torchrun, mpirun, srun
//! let world = context.world()?;
//! let mut x = vec![context.rank() as f32; 4];
//! world.all_reduce(&mut x, ReduceOp::SUM)?; // in place
//!
//! let work = world.all_reduce_async(x, ReduceOp::MAX)?; // something else, meanwhile
//! let x = work.wait()?;
//!
//! let (mut low, mut high) = (vec![0; 8], vec![0; 8]);
//! world.scope(|s| {
//!     s.broadcast(&mut low, 0)?; // both on borrowed buffers, waited for at the end of the scope
//!     s.broadcast(&mut high, 1)?;
//!     Ok(())
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! What holds for every call is said at [`Group`], [`Work`] and [`Error`].
#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

mod blocks;
mod bytes;
mod checked;
mod codes;
mod context;
mod element;
mod error;
mod group;
mod layout;
mod library;
mod log;
mod memory;
mod message;
mod operation;
mod operations;
mod options;
mod parked;
mod raw;
mod reduction;
mod scope;
mod store;
mod values;
mod work;

pub use blocks::Blocks;
pub use bytes::Bytes;
pub use codes::{CheckMode, ContentType, DataType, LogLevel, RankState, ReduceOp, ResultCode, NEXT, PREV};
pub use context::{Context, RankInfo, WorldInfo};
pub use element::{Bool8, Element, Float, F8E4M3, F8E5M2};
pub use error::{Error, Result};
pub use group::{Group, GroupInfo};
pub use layout::{pipeline_layers, shard_range, Axis, GroupName, Layout, LayoutSpec, Place};
pub use library::{library_info, library_path, library_version};
pub use memory::{Registered, SymmetricMemory};
pub use message::{Message, OwnedMessage};
pub use options::{Config, GroupOptions, ModelParallelOptions, StoreOptions};
#[doc(hidden)]
pub use parked::parked;
pub use raw::{Completion, Raw, RawMessage};
pub use reduction::{PremulSum, Reduction};
pub use scope::{Scope, ScopedWork};
pub use store::Store;
pub use work::Work;
