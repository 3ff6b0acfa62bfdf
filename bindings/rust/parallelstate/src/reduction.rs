//! Reductions, and the one that belongs to a group.

use std::marker::PhantomData;
use std::sync::Arc;

use parallelstate_sys as sys;

use crate::error::check;
use crate::group::Handle;
use crate::{Element, Error, Float, Group, ReduceOp, Result};

mod sealed {
    pub trait Sealed {}
}

/// What reduces elements of type `T`: a [`ReduceOp`], or a reference to a [`PremulSum`]. Sealed.
pub trait Reduction<T: Element>: sealed::Sealed {
    #[doc(hidden)]
    fn on(&self, group: &Group) -> Result<ReduceOp>;
}

impl sealed::Sealed for ReduceOp {}
impl<T: Element> Reduction<T> for ReduceOp {
    fn on(&self, _: &Group) -> Result<ReduceOp> {
        Ok(*self)
    }
}

/// The sum of each rank's input times that rank's factor. It belongs to a group and an element type; ranks match by
/// kind, each has its own factor.
///
/// Operations in flight keep what they need of it, so it may be dropped at any time.
#[derive(Debug)]
pub struct PremulSum<T: Float> {
    op: ReduceOp,
    group: Arc<Handle>,
    element: PhantomData<fn(T)>,
}

impl<T: Float> PremulSum<T> {
    /// For [`Raw`](crate::Raw): valid on its group while this object lives.
    pub fn op(&self) -> ReduceOp {
        self.op
    }
}

impl<T: Float> sealed::Sealed for &PremulSum<T> {}
impl<T: Float> Reduction<T> for &PremulSum<T> {
    fn on(&self, group: &Group) -> Result<ReduceOp> {
        // Another group may have given the same number to an operator of its own.
        match self.group.unless_closed(|own| own == group.as_raw()) {
            Some(true) => Ok(self.op),
            _ => Err(Error::argument(format!(
                "this premultiplied sum belongs to another group than {:?}; make one with Group::premul_sum",
                group.name()
            ))),
        }
    }
}

impl<T: Float> Drop for PremulSum<T> {
    fn drop(&mut self) {
        // SAFETY: freed once, before its group.
        self.group.unless_closed(|group| unsafe { sys::psReduceOpFree(group, self.op.as_raw()) });
    }
}

impl Group {
    /// A reduction that multiplies this rank's input by `factor` first, for floating-point elements.
    ///
    /// ```no_run
    /// # fn mean(group: &parallelstate::Group, data: &mut [f32], weight: f32) -> parallelstate::Result<()> {
    /// group.all_reduce(data, &group.premul_sum(weight)?)
    /// # }
    /// ```
    pub fn premul_sum<T: Float>(&self, factor: T::Scalar) -> Result<PremulSum<T>> {
        let (dtype, mut op) = (T::DATA_TYPE.as_raw(), 0);
        let factor: *const T::Scalar = &factor;
        // SAFETY: the factor has the type that goes with the element type, and is read now.
        let result = unsafe { sys::psReduceOpCreate(self.as_raw(), sys::PS_PREMUL_SUM, dtype, factor.cast(), &mut op) };
        check(result)?;
        Ok(PremulSum { op: ReduceOp::from_raw(op), group: Arc::clone(self.handle()), element: PhantomData })
    }
}
