//! What is asked of every store.

use bytes::Bytes;
use futures::future::join_all;
use tg_object_store::StoreEndpoint;
use tg_plugin::grant::{Bucket, EndpointErrorKind, PutError, PutMode};

pub(crate) const LIMIT: u64 = 16 << 20;
/// Writers that want the same object at once.
const WRITERS: usize = 8;

async fn paths(bucket: &mut dyn Bucket, prefix: &str, after: &str, limit: u32) -> Vec<String> {
    bucket.list(prefix, after, limit).await.unwrap().into_iter().map(|m| m.path).collect()
}

fn text(t: &str) -> Bytes {
    Bytes::copy_from_slice(t.as_bytes())
}

/// Needs an empty bucket; leaves `a/x` with `three`.
pub(crate) async fn same_for_all(bucket: &mut dyn Bucket) {
    assert_eq!(bucket.get("a/x", 0, 0, LIMIT).await.unwrap(), None);
    assert_eq!(bucket.head("a/x").await.unwrap(), None);
    assert_eq!(paths(bucket, "", "", 10).await, [""; 0]);
    bucket.delete("a/x").await.unwrap();

    bucket.put("a/x", text("one"), PutMode::Create).await.unwrap();
    assert_eq!(bucket.put("a/x", text("two"), PutMode::Create).await, Err(PutError::Conflict));
    assert_eq!(bucket.get("a/x", 0, 0, LIMIT).await.unwrap().unwrap(), "one");
    bucket.put("a/x", text("three"), PutMode::Overwrite).await.unwrap();
    assert_eq!(bucket.get("a/x", 2, 2, LIMIT).await.unwrap().unwrap(), "re");
    assert_eq!(bucket.get("a/x", 0, 3, 3).await.unwrap().unwrap(), "thr");
    assert_eq!(bucket.get("a/x", 3, 0, LIMIT).await.unwrap().unwrap(), "ee");
    assert_eq!(bucket.get("a/x", 3, 90, 2).await.unwrap().unwrap(), "ee", "less is there than is asked for");
    assert_eq!(bucket.get("a/x", 5, 0, LIMIT).await.unwrap().unwrap(), "");
    assert_eq!(bucket.get("a/x", 9, 3, LIMIT).await.unwrap().unwrap(), "");
    assert!(bucket.get("a/x", 0, 0, 4).await.is_err(), "more than the limit");
    let meta = bucket.head("a/x").await.unwrap().unwrap();
    assert_eq!((meta.path.as_str(), meta.size), ("a/x", 5));
    assert!(meta.modified_ms > 1_600_000_000_000 && meta.etag.is_some());
    bucket.put("empty", text(""), PutMode::Create).await.unwrap();
    assert_eq!(bucket.get("empty", 0, 0, LIMIT).await.unwrap().unwrap(), "");
    bucket.delete("empty").await.unwrap();

    for path in ["b/2", "b/1", "b/10", "a/日本", "a/y", "ab/z", "c/100%25 & <b>=~+?#'\"", "c/a%2Fb"] {
        bucket.put(path, text(path), PutMode::Create).await.unwrap();
    }
    let all = ["a/x", "a/y", "a/日本", "ab/z", "b/1", "b/10", "b/2", "c/100%25 & <b>=~+?#'\"", "c/a%2Fb"];
    assert_eq!(paths(bucket, "", "", 10).await, all);
    for path in &all[1..] {
        assert_eq!(bucket.get(path, 0, 0, LIMIT).await.unwrap().unwrap(), *path);
    }
    assert_eq!(paths(bucket, "a/", "", 10).await, ["a/x", "a/y", "a/日本"]);
    assert_eq!(paths(bucket, "b/1", "", 10).await, ["b/1", "b/10"]);
    assert_eq!(paths(bucket, "", "a/y", 2).await, ["a/日本", "ab/z"]);
    assert_eq!(paths(bucket, "b/", "b/1", 1).await, ["b/10"]);
    assert_eq!(paths(bucket, "nowhere/", "", 10).await, [""; 0]);
    for bad in ["../x", "a//b", "", "/a", "a/.", "a/"] {
        assert!(bucket.put(bad, text("-"), PutMode::Overwrite).await.is_err(), "{bad}");
    }
    parts(bucket).await;
}

async fn parts(bucket: &mut dyn Bucket) {
    let mut upload = bucket.upload("big").await.unwrap();
    for n in 0..3_u8 {
        upload.write(Bytes::from(vec![n; 6 << 20])).await.unwrap();
    }
    assert_eq!(bucket.head("big").await.unwrap(), None, "not before it is finished");
    assert_eq!(upload.finish().await.unwrap().size, 18 << 20);
    assert!(upload.finish().await.is_err());
    assert_eq!(bucket.get("big", (12 << 20) - 1, 2, LIMIT).await.unwrap().unwrap().to_vec(), [1, 2]);
    let mut given_up = bucket.upload("never").await.unwrap();
    given_up.write(Bytes::from(vec![1; 9 << 20])).await.unwrap();
    given_up.abort().await;
    assert!(given_up.write(Bytes::from_static(b"x")).await.is_err());
    assert_eq!(bucket.head("never").await.unwrap(), None);
    let mut nothing = bucket.upload("nothing").await.unwrap();
    assert_eq!(nothing.finish().await.unwrap().size, 0);
    bucket.delete("nothing").await.unwrap();
    bucket.delete("big").await.unwrap();
    assert_eq!(bucket.head("big").await.unwrap(), None);
}

/// Every name comes once, in the order of bytes, however few come at a time. `versions`: lists say them too.
pub(crate) async fn in_order(bucket: &mut dyn Bucket, versions: bool) {
    let mut names: Vec<String> = (0..23).map(|n| format!("order/{}", n * 7 % 23)).collect();
    names.extend(["order-", "order/z/", "order0"].map(|t| format!("{t}x")));
    for name in &names {
        bucket.put(name, text("-"), PutMode::Overwrite).await.unwrap();
    }
    names.sort();
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let some = bucket.list("order", &after, 4).await.unwrap();
        let Some(last) = some.last() else { break };
        assert!(some.len() <= 4);
        last.path.clone_into(&mut after);
        seen.extend(some);
    }
    assert_eq!(seen.iter().map(|m| m.path.clone()).collect::<Vec<_>>(), names);
    for found in &seen {
        let head = bucket.head(&found.path).await.unwrap().unwrap();
        assert_eq!(found.etag, head.etag.filter(|_| versions), "{}", found.path);
        assert_eq!(found.size, 1);
    }
    for name in names {
        bucket.delete(&name).await.unwrap();
    }
}

/// Leaves `a/x` with `four`.
pub(crate) async fn conditions(bucket: &mut dyn Bucket) {
    let etag = bucket.head("a/x").await.unwrap().unwrap().etag.unwrap();
    let put = bucket.put("a/x", text("four"), PutMode::IfMatch(etag.clone())).await.unwrap();
    assert_eq!(put.etag, bucket.head("a/x").await.unwrap().unwrap().etag, "a put tells the version it made");
    for stale in [etag.as_str(), "nonsense", "", "line\nfeed"] {
        let again = bucket.put("a/x", text("five"), PutMode::IfMatch(stale.to_owned())).await;
        assert_eq!(again, Err(PutError::Conflict), "{stale:?}");
    }
    let nothing = bucket.put("a/none", text("five"), PutMode::IfMatch(etag)).await;
    assert_eq!(nothing, Err(PutError::Conflict));
    assert_eq!(bucket.head("a/none").await.unwrap(), None);
    assert_eq!(bucket.get("a/x", 0, 0, LIMIT).await.unwrap().unwrap(), "four");
}

/// Of writers that want the same object at once, one has it, and each knows whether it does.
pub(crate) async fn races(endpoint: &StoreEndpoint, versions: bool) {
    let mut buckets: Vec<_> = (0..WRITERS).map(|_| endpoint.bucket()).collect();
    for round in 0..4 {
        let path = format!("race/{round}");
        one_wins(&mut buckets, &path, &PutMode::Create).await;
        if versions {
            let etag = buckets[0].head(&path).await.unwrap().unwrap().etag.unwrap();
            one_wins(&mut buckets, &path, &PutMode::IfMatch(etag)).await;
        }
        buckets[0].delete(&path).await.unwrap();
    }
}

async fn one_wins(buckets: &mut [Box<dyn Bucket>], path: &str, mode: &PutMode) {
    let contents: Vec<String> = (0..buckets.len()).map(|n| format!("{mode:?} by {n}")).collect();
    let puts = buckets.iter_mut().zip(&contents).map(|(b, content)| b.put(path, text(content), mode.clone()));
    let ended = join_all(puts).await;
    let winners: Vec<usize> = (0..ended.len()).filter(|n| ended[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{mode:?}: {ended:?}");
    assert!(ended.iter().all(|e| e.is_ok() || *e == Err(PutError::Conflict)), "{mode:?}: {ended:?}");
    let found = buckets[0].get(path, 0, 0, LIMIT).await.unwrap().unwrap();
    assert_eq!(found, contents[winners[0]].as_bytes());
}

pub(crate) async fn refused_while_away(bucket: &mut dyn Bucket) {
    for mode in [PutMode::Overwrite, PutMode::Create] {
        let PutError::Other(gone) = bucket.put("a/x", text("six"), mode).await.unwrap_err() else {
            panic!("a conflict")
        };
        assert_eq!(gone.kind, EndpointErrorKind::Retryable, "nothing was sent: {gone}");
        assert!(gone.to_string().contains("TG-3301"), "{gone}");
    }
    let gone = bucket.list("", "", 1).await.unwrap_err();
    assert!(gone.to_string().contains("TG-3301"), "{gone}");
}

pub(crate) async fn back_again(bucket: &mut dyn Bucket) {
    assert_eq!(bucket.get("a/x", 0, 0, LIMIT).await.unwrap().unwrap(), "four");
    bucket.put("a/x", text("seven"), PutMode::Overwrite).await.unwrap();
}
