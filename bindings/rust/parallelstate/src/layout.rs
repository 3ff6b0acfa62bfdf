//! Layouts: which ranks of a world form which named groups, as data.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

use parallelstate_sys as sys;

use crate::error::check;
use crate::values::{c_text, copied};
use crate::{Bytes, Error, Result};

/// The groups of a spec such as `sglang:tp=8,pp=2` in a world of some size. All ranks are world ranks.
///
/// It needs no context, no other rank and no device. It is immutable, may be used from all threads at once, and costs
/// nothing to clone. Layouts are equal where the canonical spec and the world size are.
///
/// ```no_run
/// # fn main() -> parallelstate::Result<()> {
/// let layout = parallelstate::Layout::new("vllm:tp=4,pp=*", 16)?;
/// assert_eq!(layout.spec(), "vllm:tp=4,pp=4");
/// assert_eq!(layout.groups("tp")?[1], [4, 5, 6, 7]);
/// let place = layout.group_of("tp", 6)?;
/// assert_eq!((place.group, place.rank), (1, 2));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Layout(Arc<Object>);

struct Object {
    handle: sys::psLayout,
    spec: String,
    world_size: i32,
    hash: u64,
    names: Vec<GroupName>,
    axes: Vec<Axis>,
}

// SAFETY: "is immutable and safe from all threads"; it is freed when nobody borrows it.
unsafe impl Send for Object {}
unsafe impl Sync for Object {}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: freed once, here.
        unsafe { sys::psLayoutFree(self.handle) };
    }
}

/// The name of a kind of groups; see [`Layout::names`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GroupName {
    /// What [`Layout::groups`] takes, and with model-parallel state [`Context::group`](crate::Context::group).
    pub name: String,
    /// The name whose groups these are, where it is an alias.
    pub alias_of: Option<String>,
}

/// See [`Layout::axes`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Axis {
    /// What [`Layout::coordinate`] takes; those of a view are `expert.ep`.
    pub name: String,
    /// How many coordinates it has.
    pub size: i32,
}

/// Where a rank is among the groups of a name; see [`Layout::group_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The group's index.
    pub group: usize,
    /// The rank in that group.
    pub rank: i32,
}

impl Layout {
    /// The layout of `spec` in a world of `world_size` ranks. The error names the axis, shows the arithmetic, tells the
    /// position and offers what would work.
    pub fn new(spec: &str, world_size: i32) -> Result<Layout> {
        sys::load()?;
        let spec = c_text(spec, "spec")?;
        let mut handle = ptr::null_mut();
        // SAFETY: a living string; the handle is the new object's.
        check(unsafe { sys::psLayoutCreate(spec.as_ptr(), world_size, &mut handle) })?;
        let mut object =
            Object { handle, spec: String::new(), world_size, hash: 0, names: Vec::new(), axes: Vec::new() };
        let mut info = sys::psLayoutInfo::default();
        // SAFETY: a living handle; its texts live as long and are copied.
        unsafe {
            check(sys::psGetLayoutInfo(handle, &mut info))?;
            object.spec = copied(info.spec).unwrap_or_default();
            object.hash = info.hash;
            for index in 0..info.name_count {
                let (mut name, mut alias_of) = (ptr::null(), ptr::null());
                check(sys::psLayoutName(handle, index, &mut name, &mut alias_of))?;
                object.names.push(GroupName { name: copied(name).unwrap_or_default(), alias_of: copied(alias_of) });
            }
            for index in 0..info.axis_count {
                let (mut name, mut size) = (ptr::null(), 0);
                check(sys::psLayoutAxis(handle, index, &mut name, &mut size))?;
                object.axes.push(Axis { name: copied(name).unwrap_or_default(), size });
            }
        }
        Ok(Layout(Arc::new(object)))
    }

    /// The canonical spec: the same text for every spec of an equal layout.
    pub fn spec(&self) -> &str {
        &self.0.spec
    }

    /// The number of ranks in its world.
    pub fn world_size(&self) -> i32 {
        self.0.world_size
    }

    /// Of canonical spec and world size, the same in every language and build.
    pub fn hash(&self) -> u64 {
        self.0.hash
    }

    /// The names of groups, aliases included, in the layout's order.
    pub fn names(&self) -> &[GroupName] {
        &self.0.names
    }

    /// The axes and their sizes.
    pub fn axes(&self) -> &[Axis] {
        &self.0.axes
    }

    /// How many groups a name has.
    pub fn group_count(&self, name: &str) -> Result<usize> {
        let name = c_text(name, "name")?;
        let mut count = 0;
        // SAFETY: a living handle and string.
        check(unsafe { sys::psLayoutGroupCount(self.0.handle, name.as_ptr(), &mut count) })?;
        Ok(count)
    }

    /// The ranks of one group, in their order; answered without the others.
    pub fn group(&self, name: &str, index: usize) -> Result<Vec<i32>> {
        let name = c_text(name, "name")?;
        let (name, handle, mut count) = (name.as_ptr(), self.0.handle, 0);
        // SAFETY: a living handle and string, as many elements as is said.
        unsafe {
            check(sys::psLayoutGroupRanks(handle, name, index, ptr::null_mut(), 0, &mut count))?;
            let mut ranks = vec![0; count];
            check(sys::psLayoutGroupRanks(handle, name, index, ranks.as_mut_ptr(), ranks.len(), &mut count))?;
            Ok(ranks)
        }
    }

    /// All groups of a name, or of axes that are merged: `tp-cp`. `NOT_FOUND` lists the names.
    pub fn groups(&self, name: &str) -> Result<Vec<Vec<i32>>> {
        (0..self.group_count(name)?).map(|index| self.group(name, index)).collect()
    }

    /// The group of that name that has the rank, and the rank's place in it. `NOT_FOUND`: it is in none.
    pub fn group_of(&self, name: &str, rank: i32) -> Result<Place> {
        let name = c_text(name, "name")?;
        let mut place = Place { group: 0, rank: 0 };
        // SAFETY: a living handle and string.
        check(unsafe { sys::psLayoutFind(self.0.handle, name.as_ptr(), rank, &mut place.group, &mut place.rank) })?;
        Ok(place)
    }

    /// The rank's coordinate on an axis. `NOT_FOUND` lists the axes.
    pub fn coordinate(&self, axis: &str, rank: i32) -> Result<i32> {
        let axis = c_text(axis, "axis")?;
        let mut coordinate = 0;
        // SAFETY: a living handle and string.
        check(unsafe { sys::psLayoutCoordinate(self.0.handle, axis.as_ptr(), rank, &mut coordinate) })?;
        Ok(coordinate)
    }

    /// JSON: spec, world, hash (hexadecimal text), axes, groups (name to lists of ranks), aliases.
    pub fn describe(&self) -> Result<String> {
        let mut json = ptr::null_mut();
        // SAFETY: a living handle; the bytes are freed here.
        unsafe {
            check(sys::psLayoutDescribe(self.0.handle, &mut json))?;
            Ok(Bytes::from_raw(json).to_text())
        }
    }

    /// JSON: `{"equal":true}`, or the keys and groups that differ.
    pub fn diff(&self, other: &Layout) -> Result<String> {
        let mut json = ptr::null_mut();
        // SAFETY: living handles; the bytes are freed here.
        unsafe {
            check(sys::psLayoutDiff(self.0.handle, other.0.handle, &mut json))?;
            Ok(Bytes::from_raw(json).to_text())
        }
    }
}

impl PartialEq for Layout {
    fn eq(&self, other: &Layout) -> bool {
        (self.spec(), self.world_size()) == (other.spec(), other.world_size())
    }
}

impl Eq for Layout {}

impl Hash for Layout {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

impl fmt::Display for Layout {
    /// The canonical spec.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.spec())
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Layout({:?}, world of {})", self.spec(), self.world_size())
    }
}

mod sealed {
    pub trait Sealed {
        /// The spec, and the world size where it is known.
        fn parts(&self) -> (&str, Option<i32>);
    }
}

/// What a context makes groups of: a spec, or a [`Layout`] of a world of its size. Sealed.
pub trait LayoutSpec: sealed::Sealed {}

impl<T: sealed::Sealed + ?Sized> LayoutSpec for T {}

impl sealed::Sealed for str {
    fn parts(&self) -> (&str, Option<i32>) {
        (self, None)
    }
}

impl sealed::Sealed for String {
    fn parts(&self) -> (&str, Option<i32>) {
        (self, None)
    }
}

impl sealed::Sealed for Layout {
    fn parts(&self) -> (&str, Option<i32>) {
        (self.spec(), Some(self.world_size()))
    }
}

/// The spec for a context of that world.
pub(crate) fn spec_for(layout: &(impl LayoutSpec + ?Sized), world_size: i32) -> Result<&str> {
    match layout.parts() {
        (spec, Some(other)) if other != world_size => Err(Error::argument(format!(
            "layout {spec:?} is of a world of {other} ranks, the context's world has {world_size}"
        ))),
        (spec, _) => Ok(spec),
    }
}

/// Which layers each pipeline stage holds. What does not divide evenly goes by `rule`, `"sglang"` or `"vllm"`, unless
/// `partition` gives each stage's number of layers.
pub fn pipeline_layers(rule: &str, layers: i64, stages: i32, partition: Option<&[i64]>) -> Result<Vec<Range<i64>>> {
    sys::load()?;
    let rule = c_text(rule, "rule")?;
    let count = usize::try_from(stages).unwrap_or(0); // what is refused needs no room
    if let Some(partition) = partition.filter(|partition| partition.len() != count) {
        return Err(Error::argument(format!(
            "partition has {} shares; there are {stages} stages and each needs one",
            partition.len()
        )));
    }
    let partition = partition.map_or(ptr::null(), <[i64]>::as_ptr);
    let mut boundaries = vec![0; count + 1];
    // SAFETY: as many elements as the number of stages says.
    check(unsafe { sys::psPipelineLayers(rule.as_ptr(), layers, stages, partition, boundaries.as_mut_ptr()) })?;
    Ok(boundaries.windows(2).map(|pair| pair[0]..pair[1]).collect())
}

/// Part `index` of `total` in equal parts. The error, when `parts` does not divide `total`, offers parts that would.
pub fn shard_range(total: i64, parts: i32, index: i32) -> Result<Range<i64>> {
    sys::load()?;
    let (mut begin, mut end) = (0, 0);
    // SAFETY: it takes numbers.
    check(unsafe { sys::psShardRange(total, parts, index, &mut begin, &mut end) })?;
    Ok(begin..end)
}
