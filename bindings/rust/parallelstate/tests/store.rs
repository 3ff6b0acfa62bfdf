//! The store: of a world, and one that stands alone.

mod common;

use std::time::Duration;

use common::{refused, world};
use parallelstate::{ContentType, ResultCode, Store, StoreOptions};

fn exercise(store: &Store) {
    store.set("text", "value").unwrap();
    let value = store.get("text").unwrap();
    assert_eq!((&value[..], value.parts(), value.to_text().as_str()), (&b"value"[..], 1, "value"));
    assert_eq!(value.part(0).unwrap().1, ContentType::BYTES);
    assert!(value.part(1).is_none());
    store.set("empty", b"").unwrap();
    assert!(store.get("empty").unwrap().is_empty());

    assert_eq!(store.add("count", 5), Ok(5));
    assert_eq!(store.add("count", -7), Ok(-2));
    assert_eq!(store.get("count").unwrap().as_ref(), b"-2");
    refused(store.add("text", 1), ResultCode::ARGUMENT, "text");

    assert_eq!(store.compare_and_set("text", Some(b"other"), "new"), Ok(false));
    assert_eq!(store.compare_and_set("text", Some(b"value"), "new"), Ok(true));
    assert_eq!(store.compare_and_set("text", None, "newer"), Ok(false));
    assert_eq!(store.compare_and_set_expiring("fresh", None, "x", Duration::from_secs(600)), Ok(true));

    assert_eq!(store.delete("text"), Ok(true));
    assert_eq!(store.delete("text"), Ok(false));
    refused(store.get_timeout("text", Duration::ZERO), ResultCode::TIMEOUT, "text");
    refused(store.set("", "x"), ResultCode::ARGUMENT, "key");
    refused(store.set("a\0b", "x"), ResultCode::ARGUMENT, "key");
    refused(store.set_expiring("x", "y", Duration::ZERO), ResultCode::ARGUMENT, "expiry is zero");
}

#[test]
fn a_key_expires() {
    let store = Store::serve("tcp://127.0.0.1:0", &StoreOptions::new()).unwrap();
    store.set_expiring("brief", "x", Duration::from_millis(1)).unwrap();
    while store.get_timeout("brief", Duration::ZERO).is_ok() {
        std::thread::yield_now();
    }
}

#[test]
fn a_served_store_and_a_client() {
    let options = StoreOptions::new().secret("s").timeout(Duration::from_secs(60));
    let served = Store::serve("tcp://127.0.0.1:0", &options).unwrap();
    let address = served.address().unwrap();
    assert!(address.starts_with("tcp://"), "{address}");
    let client = Store::open(&address, &options).unwrap();
    exercise(&client);
    refused(Store::open(&address, &options.clone().secret("wrong")), ResultCode::DENIED, "secret");

    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| client.get("late"));
        served.set("late", [1u8, 2]).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap().as_ref(), [1, 2]);
    });
    drop(served);
    let gone = client.get("late").unwrap_err().code();
    assert!([ResultCode::CLOSED, ResultCode::PEER_FAILED].contains(&gone), "{gone}");
}

#[test]
fn the_worlds_store() {
    world(2, |context| {
        let store = context.store().unwrap();
        if context.rank() == 0 {
            exercise(&store);
            store.set("ready", "yes").unwrap();
        } else {
            assert_eq!(store.get("ready").unwrap().to_text(), "yes");
        }
        context.world().unwrap().barrier().unwrap();
    });
}
