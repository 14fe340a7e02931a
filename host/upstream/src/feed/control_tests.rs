use super::super::control_bench::{Bench, SPAN, peer, range, region};
use super::super::effect::{EndCause, Input, Signal};
use tg_model::Ts;

#[test]
fn a_span_resolves_by_its_slowest_region() {
    let mut b = Bench::new(|_| {});
    b.subscribe(SPAN, "b", "y");
    assert_eq!(b.answer(Some(vec![region(1, 1, "", "m", 1), region(2, 1, "m", "", 2)])), [range("b", "y")]);
    assert_eq!(b.opened.iter().map(|(_, store)| *store).collect::<Vec<_>>(), [1, 2]);
    let (first, second) = (b.registered.remove(0), b.registered.remove(0));
    assert_eq!((first.1.range.clone(), second.1.range.clone()), (range("b", "m"), range("m", "y")));
    let request = first.1.request;
    b.resolve(first.0, request, &[1], 200);
    assert!(b.signals.is_empty(), "not initialized");
    b.step(Input::Initialized { stream: first.0, request, region: 1 });
    b.resolve(first.0, request, &[1], 200);
    assert!(b.signals.is_empty(), "the other region holds it back");
    b.step(Input::Initialized { stream: second.0, request, region: 2 });
    assert!(matches!(b.signals.pop(), Some(Signal::Initialized { .. })));
    b.resolve(second.0, request, &[2], 150);
    b.resolve(second.0, request, &[2], 150);
    b.resolve(second.0, request, &[2], 300);
    b.resolve(first.0, request, &[2], 400);
    assert_eq!(b.resolved(), [150, 200], "a region counts on its own stream only");
}

#[test]
fn a_split_is_looked_up_by_range_and_goes_on_where_it_was() {
    let (mut b, stream, request) = Bench::live(|_| {});
    b.resolve(stream, request, &[1], 200);
    b.end(stream, request, 1, EndCause::RangeChanged);
    b.pass(0);
    let asked = b.answer(Some(vec![region(3, 2, "", "m", 1), region(1, 2, "m", "", 1)]));
    assert_eq!(asked, [range("b", "y")]);
    let made: Vec<_> = b.registered.drain(..).map(|(s, r)| (s, r.region.id, r.range, r.checkpoint.get())).collect();
    assert_eq!(made, [(stream, 3, range("b", "m"), 200), (stream, 1, range("m", "y"), 200)]);
    for region in [3, 1] {
        b.step(Input::Initialized { stream, request, region });
    }
    b.resolve(stream, request, &[3, 1], 150);
    b.resolve(stream, request, &[3, 1], 250);
    assert_eq!(b.resolved(), [200, 250]);
}

#[test]
fn a_stream_survives_what_leaves_it_for_a_moment() {
    let (mut b, stream, request) = Bench::live(|_| {});
    b.pass(60_000);
    b.end(stream, request, 1, EndCause::RangeChanged);
    b.pass(9_999);
    b.step(Input::CheckLocks { pd_now: Ts::ZERO });
    assert!(b.closed.is_empty(), "PD has not answered yet");
    b.answer(Some(vec![region(1, 2, "", "", 1)]));
    assert_eq!(b.registration().0, stream);
    b.step(Input::Unsubscribe { span: SPAN });
    b.pass(10_000);
    b.step(Input::CheckLocks { pd_now: Ts::ZERO });
    assert_eq!(b.closed, [stream]);
}

#[test]
fn a_merge_waits_for_both_sides() {
    let (mut b, stream, request) = Bench::live(|_| {});
    b.end(stream, request, 1, EndCause::RangeChanged);
    b.pass(0);
    b.answer(Some(vec![region(1, 2, "", "m", 1), region(2, 2, "m", "", 1)]));
    b.registered.clear();
    for region in [1, 2] {
        b.step(Input::Initialized { stream, request, region });
    }
    b.resolve(stream, request, &[1], 300);
    b.resolve(stream, request, &[2], 400);
    b.end(stream, request, 1, EndCause::RangeChanged);
    b.pass(0);
    b.answer(Some(vec![region(2, 4, "", "", 1)]));
    assert!(b.registered.is_empty(), "the other side is still fed by the old region");
    b.end(stream, request, 2, EndCause::RangeChanged);
    b.pass(5_000);
    while !b.loads.is_empty() {
        let (request, ranges) = b.loads.remove(0);
        b.step(Input::Loaded { request, ranges, regions: Some(vec![region(2, 4, "", "", 1)]) });
    }
    let (_, _, region, checkpoint) = b.registration();
    assert_eq!((region, checkpoint), (2, 300));
}

#[test]
fn a_new_leader_is_followed_without_pd() {
    let (mut b, stream, request) = Bench::live(|_| {});
    b.end(stream, request, 1, EndCause::NotLeader(Some(peer(2))));
    b.pass(50);
    assert!(b.loads.is_empty());
    assert_eq!(b.opened.last().map(|(_, store)| *store), Some(2));
    assert_ne!(b.registration().0, stream);

    let (mut b, stream, request) = Bench::live(|_| {});
    b.end(stream, request, 1, EndCause::NotLeader(None));
    b.pass(0);
    b.answer(Some(vec![region(1, 1, "", "", 2)]));
    assert_eq!(b.opened.last().map(|(_, store)| *store), Some(2));
    assert_eq!(b.registration().1, request);
}

#[test]
fn congestion_backs_off_and_turns_to_pd_in_the_end() {
    let (mut b, mut stream, request) = Bench::live(|l| l.retries_before_reload = 2);
    for (attempt, (least, most)) in [(25, 50), (50, 100)].into_iter().enumerate() {
        b.end(stream, request, 1, EndCause::Transient { wait_ms: 0 });
        b.pass(least - 1);
        assert!(b.registered.is_empty(), "attempt {attempt} came too soon");
        b.pass(most - least + 1);
        stream = b.registration().0;
    }
    b.end(stream, request, 1, EndCause::Transient { wait_ms: 0 });
    b.pass(2_000);
    b.answer(Some(vec![region(1, 1, "", "", 1)]));
    b.registration();

    let (mut b, stream, request) = Bench::live(|_| {});
    b.end(stream, request, 1, EndCause::Transient { wait_ms: 5_000 });
    b.pass(4_999);
    assert!(b.registered.is_empty(), "the store asked for more time");
    b.pass(1);
    b.registration();
}

#[test]
fn a_broken_stream_is_made_anew_after_a_second() {
    let (mut b, stream, request) = Bench::live(|_| {});
    b.resolve(stream, request, &[1], 200);
    b.step(Input::StreamDown { stream, established: true });
    b.pass(999);
    assert!(b.registered.is_empty() && b.loads.is_empty());
    b.pass(1);
    let (again, _, _, checkpoint) = b.registration();
    assert_ne!(again, stream);
    assert_eq!(checkpoint, 200);
    b.step(Input::Initialized { stream, request, region: 1 });
    b.resolve(stream, request, &[1], 300);
    assert_eq!(b.resolved(), [200], "the old stream has no say");

    b.step(Input::StreamDown { stream: again, established: false });
    b.pass(2_000);
    b.answer(Some(vec![region(1, 1, "", "", 2)]));
    assert_eq!(b.opened.last().map(|(_, store)| *store), Some(2), "a store that is gone: PD knows better");
}

#[test]
fn holes_and_failures_of_pd_are_tried_again() {
    let mut b = Bench::new(|_| {});
    b.subscribe(SPAN, "b", "y");
    b.answer(None);
    b.pass(2_000);
    b.answer(Some(vec![]));
    b.pass(2_000);
    b.answer(Some(vec![region(1, 1, "", "m", 1)]));
    assert_eq!(b.registration().2, 1);
    b.pass(2_000);
    assert_eq!(b.answer(Some(vec![region(2, 1, "m", "", 1)])), [range("m", "y")]);
    assert_eq!(b.registration().2, 2);
    b.pass(10_000);
    assert!(b.loads.is_empty());
}
