//! Endpoints by small numbers that epoll can carry. A number is given again only after its endpoint is gone.

use super::endpoint::Endpoint;

#[derive(Debug, Default)]
pub(super) struct Slots {
    endpoints: Vec<Option<Box<Endpoint>>>,
    free: Vec<usize>,
    count: usize,
}

impl Slots {
    /// The number that the next `insert` will give.
    pub(super) fn next(&self) -> usize {
        self.free.last().copied().unwrap_or(self.endpoints.len())
    }

    pub(super) fn insert(&mut self, endpoint: Endpoint) -> usize {
        self.count += 1;
        match self.free.pop() {
            Some(index) => {
                self.endpoints[index] = Some(Box::new(endpoint));
                index
            }
            None => {
                self.endpoints.push(Some(Box::new(endpoint)));
                self.endpoints.len() - 1
            }
        }
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<Box<Endpoint>> {
        let endpoint = self.endpoints.get_mut(index)?.take()?;
        self.free.push(index);
        self.count -= 1;
        Some(endpoint)
    }

    pub(super) fn get(&self, index: usize) -> Option<&Endpoint> {
        self.endpoints.get(index)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Endpoint> {
        self.endpoints.get_mut(index)?.as_deref_mut()
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// One more than the highest number in use.
    pub(super) fn end(&self) -> usize {
        self.endpoints.len()
    }
}
