use super::control_bench::{Bench, GROUP, SPAN, range, region};
use super::effect::{EndCause, Input, Signal};
use tg_model::{SpanId, Ts};

#[test]
fn scans_of_a_store_are_limited() {
    let mut b = Bench::new(|l| l.scans_per_store = 2);
    for n in 0..5 {
        b.subscribe(SpanId(n), "b", "y");
        b.answer(Some(vec![region(1, 1, "", "", 1)]));
    }
    assert_eq!((b.registered.len(), b.opened.len()), (2, 1));
    let (stream, first) = b.registered[0].clone();
    b.step(Input::Initialized { stream, request: first.request, region: 1 });
    assert_eq!(b.registered.len(), 3);
    b.step(Input::Unsubscribe { span: SpanId(1) });
    assert_eq!((b.registered.len(), b.deregistered.len()), (4, 1), "a scan that is given up makes room");
    b.step(Input::StreamDown { stream, established: true });
    b.pass(3_000);
    let again = b.registered.split_off(4);
    assert_eq!(again.len(), 2, "after a break the limit holds as before: {again:?}");
    for (_, r) in again {
        b.step(Input::Initialized { stream: b.opened[1].0, request: r.request, region: 1 });
    }
    assert_eq!(b.registered.len(), 6);
}

#[test]
fn old_stores_get_a_stream_per_use_of_a_region() {
    let mut b = Bench::new(|_| {});
    b.subscribe(SpanId(1), "b", "y");
    b.answer(Some(vec![region(1, 1, "", "", 1)]));
    let (stream, ..) = b.registration();
    b.step(Input::StreamUp { stream, multiplexed: false });
    b.subscribe(SpanId(2), "b", "y");
    b.answer(Some(vec![region(1, 1, "", "", 1)]));
    assert_ne!(b.registration().0, stream);
}

#[test]
fn what_cannot_be_healed_fails_the_span() {
    let check = |cause: EndCause, code: u16| {
        let (mut b, stream, request) = Bench::live(|_| {});
        b.end(stream, request, 1, cause);
        match b.signals.pop() {
            Some(Signal::Failed { span: SPAN, error }) => {
                assert_eq!(tg_model::Coded::code(&*error).0, code)
            }
            other => panic!("{other:?}"),
        }
        b.pass(60_000);
        assert!(b.registered.is_empty() && b.loads.is_empty(), "it is over");
    };
    check(EndCause::Duplicate, 1115);
    check(EndCause::Compatibility { required: "9.9.9".into() }, 1113);
    check(EndCause::ClusterId { current: 1, asked: 2 }, 1114);
    check(EndCause::Violation { detail: "below".into(), fatal: true }, 1115);
}

#[test]
fn missing_prewrites_are_healed_by_a_new_scan_until_it_is_too_much() {
    let (mut b, mut stream, request) = Bench::live(|l| l.violations_max = 2);
    for _ in 0..2 {
        b.end(stream, request, 1, EndCause::Violation { detail: "no prewrite".into(), fatal: false });
        b.step(Input::StreamDown { stream, established: true });
        b.pass(3_000);
        stream = b.registration().0;
    }
    b.end(stream, request, 1, EndCause::Violation { detail: "no prewrite".into(), fatal: false });
    assert!(matches!(b.signals.pop(), Some(Signal::Failed { .. })));
}

#[test]
fn unsubscribed_and_ownerless_spans_leave_nothing() {
    let (mut b, stream, request) = Bench::live(|_| {});
    b.step(Input::Unsubscribe { span: SPAN });
    assert_eq!(b.deregistered, [(stream, request)]);
    b.resolve(stream, request, &[1], 500);
    b.end(stream, request, 1, EndCause::RangeChanged);
    b.pass(60_000);
    b.step(Input::CheckLocks { pd_now: Ts::MAX });
    assert_eq!(b.closed, [stream]);
    assert!(b.signals.is_empty() && b.loads.is_empty() && b.control.next_timer_ms().is_none());

    let (mut b, stream, _) = Bench::live(|_| {});
    b.step(Input::GroupClosed { group: GROUP });
    assert!(b.control.regions(SPAN).is_empty());
    assert_eq!((b.closed, b.deregistered), (vec![stream], vec![]), "nobody is left to hear of the rest");
}

#[test]
fn locks_are_looked_at_when_a_span_stands_still() {
    let (mut b, stream, request) = Bench::live(|_| {});
    let at = |seconds: u64| Ts::compose(1_000_000 + seconds * 1000, 0);
    b.resolve(stream, request, &[1], at(0).get());
    b.pass(3_999);
    b.step(Input::CheckLocks { pd_now: at(100) });
    assert!(b.locks.is_empty(), "it moved lately");
    b.pass(1);
    b.step(Input::CheckLocks { pd_now: at(3) });
    assert!(b.locks.is_empty(), "it is not behind");
    b.step(Input::CheckLocks { pd_now: at(100) });
    assert_eq!(b.locks, [(range("b", "y"), at(4))]);
    b.pass(9_999);
    b.step(Input::CheckLocks { pd_now: at(110) });
    assert_eq!(b.locks.len(), 1, "looked at lately");
    b.pass(1);
    b.step(Input::CheckLocks { pd_now: at(110) });
    assert_eq!(b.locks.len(), 2);
}
