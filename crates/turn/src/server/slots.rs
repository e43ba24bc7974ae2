//! A table whose places are used again, under ids that are not.

use alloc::vec::Vec;

/// An id: a place, and how often the place was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotId {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

pub(crate) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn insert(&mut self, value: T) -> SlotId {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(place as usize)
        {
            slot.value = Some(value);
            let generation = slot.generation;
            return SlotId { place, generation };
        }
        let place = self.slots.len() as u32;
        self.slots.push(Slot {
            generation: 0,
            value: Some(value),
        });
        SlotId {
            place,
            generation: 0,
        }
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&T> {
        let slot = self.slots.get(id.place as usize)?;
        slot.value
            .as_ref()
            .filter(|_| slot.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.place as usize)?;
        slot.value
            .as_mut()
            .filter(|_| slot.generation == id.generation)
    }

    /// What is at `place` now, whatever was there before.
    pub(crate) fn at(&self, place: u32) -> Option<&T> {
        self.slots.get(place as usize)?.value.as_ref()
    }

    /// The id of what is at `place` now.
    pub(crate) fn id_at(&self, place: u32) -> Option<SlotId> {
        let slot = self.slots.get(place as usize)?;
        slot.value.is_some().then_some(SlotId {
            place,
            generation: slot.generation,
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &T)> {
        self.slots.iter().zip(0..).filter_map(|(slot, place)| {
            let generation = slot.generation;
            Some((SlotId { place, generation }, slot.value.as_ref()?))
        })
    }

    pub(crate) fn remove(&mut self, id: SlotId) -> Option<T> {
        let slot = self.slots.get_mut(id.place as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.place);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_id_is_not_a_new_one() {
        let mut slots = Slots::new();
        let a = slots.insert('a');
        let b = slots.insert('b');
        assert_eq!(slots.remove(a), Some('a'));
        let c = slots.insert('c');
        assert_eq!(c.place, a.place);
        assert_eq!(slots.get(a), None);
        assert_eq!(slots.remove(a), None);
        assert_eq!((slots.get(c), slots.at(b.place)), (Some(&'c'), Some(&'b')));
        assert_eq!(slots.len(), 2);
        slots.remove(b);
        assert!(slots.iter().eq([(c, &'c')]));
        let b = slots.insert('d');
        assert_eq!((slots.id_at(b.place), slots.id_at(9)), (Some(b), None));
    }
}
