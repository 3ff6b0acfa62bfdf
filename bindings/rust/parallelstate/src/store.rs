//! A key-value store: small values that ranks and other processes share.

use std::ptr;
use std::time::Duration;

use parallelstate_sys as sys;

use crate::error::check;
use crate::values::{c_text, copied, deadline_ms, wait_ms};
use crate::{parked, Bytes, Result, StoreOptions};

/// The world's ([`Context::store`](crate::Context::store)), one that this process serves, or another's.
///
/// Every method may be called from any thread. Keys are 1 to 1024 bytes of UTF-8. Dropping the last reference closes
/// it.
#[derive(Debug)]
pub struct Store(sys::psStore);

// SAFETY: "Every call is thread-safe"; it is freed when nobody borrows it.
unsafe impl Send for Store {}
unsafe impl Sync for Store {}

impl Store {
    /// # Safety
    /// A handle that the library just gave, and that nobody else frees.
    pub(crate) unsafe fn from_raw(handle: sys::psStore) -> Self {
        Store(handle)
    }

    /// Connects to a store that another process serves: its [`address`](Self::address) there.
    pub fn open(url: &str, options: &StoreOptions) -> Result<Store> {
        sys::load()?;
        parked::sweep();
        let url = c_text(url, "url")?;
        let mut store = ptr::null_mut();
        // SAFETY: the strings live during the call; the handle is the new object's.
        options.with_raw(|raw| check(unsafe { sys::psStoreOpen(url.as_ptr(), raw, &mut store) }))?;
        Ok(Store(store))
    }

    /// Hosts a store here; tcp port 0 takes a free port, [`address`](Self::address) names it.
    pub fn serve(url: &str, options: &StoreOptions) -> Result<Store> {
        let mut options = options.clone();
        options.flags |= sys::PS_SERVE;
        Store::open(url, &options)
    }

    /// What others pass to [`open`](Self::open), or to [`Config::rendezvous`](crate::Config::rendezvous), with the port
    /// really bound.
    pub fn address(&self) -> Result<String> {
        let mut url = ptr::null();
        // SAFETY: a living handle; the string lives as long and is copied.
        unsafe {
            check(sys::psStoreAddress(self.0, &mut url))?;
            Ok(copied(url).unwrap_or_default())
        }
    }

    /// Sets a key for ever.
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<()> {
        self.set_until(key, value.as_ref(), None)
    }

    /// Sets a key that is absent after a time, whoever reads.
    pub fn set_expiring(&self, key: &str, value: impl AsRef<[u8]>, after: Duration) -> Result<()> {
        self.set_until(key, value.as_ref(), Some(after))
    }

    fn set_until(&self, key: &str, value: &[u8], after: Option<Duration>) -> Result<()> {
        let (key, expire) = (c_text(key, "key")?, deadline_ms(after, "expiry")?);
        // SAFETY: a living handle; key and value live during the call.
        check(unsafe { sys::psStoreSet(self.0, key.as_ptr(), value.as_ptr().cast(), value.len(), expire) })
    }

    /// Waits until the key exists, within the store's own deadline: this is wait as well as get.
    pub fn get(&self, key: &str) -> Result<Bytes> {
        self.get_within(key, None)
    }

    /// The same within `timeout`, zero to poll. The error names the key.
    pub fn get_timeout(&self, key: &str, timeout: Duration) -> Result<Bytes> {
        self.get_within(key, Some(timeout))
    }

    fn get_within(&self, key: &str, timeout: Option<Duration>) -> Result<Bytes> {
        let key = c_text(key, "key")?;
        let mut value = ptr::null_mut();
        // SAFETY: a living handle and key; the value is the new object's.
        unsafe {
            check(sys::psStoreGet(self.0, key.as_ptr(), wait_ms(timeout), &mut value))?;
            Ok(Bytes::from_raw(value))
        }
    }

    /// Adds atomically and returns the sum; an absent key counts as 0. The key holds decimal text.
    pub fn add(&self, key: &str, delta: i64) -> Result<i64> {
        let key = c_text(key, "key")?;
        let mut sum = 0;
        // SAFETY: a living handle and key.
        check(unsafe { sys::psStoreAdd(self.0, key.as_ptr(), delta, &mut sum) })?;
        Ok(sum)
    }

    /// Sets the key to `desired` if its value equals `expected`, or if it is absent and `expected` is `None`; whether
    /// it did.
    pub fn compare_and_set(&self, key: &str, expected: Option<&[u8]>, desired: impl AsRef<[u8]>) -> Result<bool> {
        self.compare_and_set_until(key, expected, desired.as_ref(), None)
    }

    /// The same, and the key is absent after a time.
    pub fn compare_and_set_expiring(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        desired: impl AsRef<[u8]>,
        after: Duration,
    ) -> Result<bool> {
        self.compare_and_set_until(key, expected, desired.as_ref(), Some(after))
    }

    fn compare_and_set_until(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        desired: &[u8],
        after: Option<Duration>,
    ) -> Result<bool> {
        let (key, expire) = (c_text(key, "key")?, deadline_ms(after, "expiry")?);
        let (old, old_size) = expected.map_or((ptr::null(), 0), |old| (old.as_ptr().cast(), old.len()));
        let (new, new_size) = (desired.as_ptr().cast(), desired.len());
        let mut swapped = 0;
        // SAFETY: a living handle; key and values live during the call.
        check(unsafe {
            sys::psStoreCompareAndSet(self.0, key.as_ptr(), old, old_size, new, new_size, expire, &mut swapped)
        })?;
        Ok(swapped != 0)
    }

    /// Whether the key existed.
    pub fn delete(&self, key: &str) -> Result<bool> {
        let key = c_text(key, "key")?;
        let mut existed = 0;
        // SAFETY: a living handle and key.
        check(unsafe { sys::psStoreDelete(self.0, key.as_ptr(), &mut existed) })?;
        Ok(existed != 0)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: freed once, here.
        unsafe { sys::psStoreFree(self.0) };
    }
}
