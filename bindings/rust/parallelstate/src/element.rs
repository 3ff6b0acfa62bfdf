//! What buffers are made of. Received bytes are whatever a peer sent, so only types of which every bit pattern is a
//! value are elements: `bool` is not, [`Bool8`] is.

use std::fmt;

use crate::DataType;

mod sealed {
    pub trait Sealed {}
}

/// A type that buffers may have.
///
/// It is sealed: only this crate implements it, and only for types of which every bit pattern is a value.
///
/// ```compile_fail
/// #[derive(Clone, Copy)]
/// struct Mine(u32);
/// impl parallelstate::Element for Mine {
///     const DATA_TYPE: parallelstate::DataType = parallelstate::DataType::UINT32;
/// }
/// ```
///
/// ```compile_fail
/// fn reduce(group: &parallelstate::Group, data: &mut [bool]) -> parallelstate::Result<()> {
///     group.all_reduce(data, parallelstate::ReduceOp::LOGICAL_AND)
/// }
/// ```
pub trait Element: Copy + Send + Sync + sealed::Sealed + 'static {
    /// The library's name for it.
    const DATA_TYPE: DataType;
}

/// A floating-point element; a [`PremulSum`](crate::PremulSum) scales it.
pub trait Float: Element {
    /// What a factor is: `f64` for `f64`, `f32` for all others.
    type Scalar: Copy;
}

/// One byte as a truth value: zero is false, everything else true. Reductions write 0 or 1.
#[repr(transparent)]
#[derive(Clone, Copy, Default)]
pub struct Bool8(u8);

impl Bool8 {
    /// The value as a `bool`.
    pub const fn get(self) -> bool {
        self.0 != 0
    }
}

impl PartialEq for Bool8 {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Bool8 {}

impl fmt::Debug for Bool8 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(formatter)
    }
}

impl From<bool> for Bool8 {
    fn from(value: bool) -> Self {
        Bool8(value.into())
    }
}

impl From<Bool8> for bool {
    fn from(value: Bool8) -> Self {
        value.get()
    }
}

macro_rules! bits8 {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name(u8);

        impl $name {
            /// From its bits.
            pub const fn from_bits(bits: u8) -> Self {
                Self(bits)
            }

            /// Its bits.
            pub const fn to_bits(self) -> u8 {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({:#04x})", stringify!($name), self.0)
            }
        }
    )*};
}

bits8! {
    /// The bits of an OCP e4m3fn number: no infinity, conversion saturates at 448. Equality is that of the bits.
    F8E4M3;
    /// The bits of an OCP e5m2 number: conversion overflows to infinity. Equality is that of the bits.
    F8E5M2;
}

macro_rules! elements {
    ($($type:ty = $data_type:ident $(, scaled by $scalar:ty)?;)*) => {$(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const DATA_TYPE: DataType = DataType::$data_type;
        }
        $(impl Float for $type {
            type Scalar = $scalar;
        })?
    )*};
}

elements! {
    i8 = INT8;
    i16 = INT16;
    i32 = INT32;
    i64 = INT64;
    u8 = UINT8;
    u16 = UINT16;
    u32 = UINT32;
    u64 = UINT64;
    f32 = FLOAT32, scaled by f32;
    f64 = FLOAT64, scaled by f64;
    F8E4M3 = FLOAT8_E4M3, scaled by f32;
    F8E5M2 = FLOAT8_E5M2, scaled by f32;
    Bool8 = BOOL;
}

#[cfg(feature = "half")]
elements! {
    half::f16 = FLOAT16, scaled by f32;
    half::bf16 = BFLOAT16, scaled by f32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_true_when_it_is_not_zero() {
        assert!(Bool8(7).get());
        assert_eq!(Bool8(7), Bool8::from(true));
        assert!(!bool::from(Bool8::default()));
    }
}
