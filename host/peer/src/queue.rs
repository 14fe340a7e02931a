//! What waits to be sent to one peer.

use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::sync::Notify;

/// A bounded queue that drops its oldest item when it is full.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    items: Mutex<VecDeque<T>>,
    more: Notify,
    max: usize,
}

impl<T> Queue<T> {
    pub(crate) const fn new(max: usize) -> Self {
        Self { items: Mutex::new(VecDeque::new()), more: Notify::const_new(), max }
    }

    /// Puts an item in; false: another had to go for it.
    pub(crate) fn push(&self, item: T) -> bool {
        let mut items = self.items.lock();
        let full = items.len() >= self.max;
        if full {
            items.pop_front();
        }
        items.push_back(item);
        drop(items);
        self.more.notify_one();
        !full
    }

    pub(crate) fn clear(&self) {
        self.items.lock().clear();
    }

    /// Waits until there is something.
    pub(crate) async fn filled(&self) {
        loop {
            let more = self.more.notified();
            if !self.items.lock().is_empty() {
                // Whoever takes it out waits for the same sign.
                self.more.notify_one();
                return;
            }
            more.await;
        }
    }

    /// The oldest item; waits for one.
    pub(crate) async fn pop(&self) -> T {
        loop {
            let more = self.more.notified();
            if let Some(item) = self.items.lock().pop_front() {
                return item;
            }
            more.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;

    #[tokio::test]
    async fn the_oldest_goes_first_and_is_dropped_first() {
        let queue = Queue::new(2);
        assert!(queue.push(1) && queue.push(2));
        assert!(!queue.push(3), "1 had to go");
        assert_eq!((queue.pop().await, queue.pop().await), (2, 3));
        let (waited, ()) = tokio::join!(queue.pop(), async {
            tokio::task::yield_now().await;
            queue.push(4);
        });
        assert_eq!(waited, 4);
        queue.push(5);
        queue.clear();
        queue.push(6);
        assert_eq!(queue.pop().await, 6);
    }
}
