//! The worlds that the tables name, and how far each goes; and the sizes of small programs.

use crate::explore::small::Size;
use crate::explorer::Memory;
use crate::worlds::World;

pub(super) const LOOM: World = World::Loom(None);
pub(super) const LOOM2: World = World::Loom(Some(2));
pub(super) const LOOM3: World = World::Loom(Some(3));
pub(super) const RMW: World = World::LoomRmw(None);
pub(super) const RMW2: World = World::LoomRmw(Some(2));
pub(super) const PCT: World = World::ShuttlePct(3, 200);
pub(super) const RANDOM: World = World::ShuttleRandom(2000);
pub(super) const EXPLORER: World = World::Explorer(Memory::Sc);
pub(super) const TSO: World = World::Explorer(Memory::Tso);
pub(super) const RACE: World = World::Explorer(Memory::Race);
pub(super) const DFS: World = World::ShuttleDfs(20_000);

pub(super) const TWO_BY_ONE: Size = Size { roles: 2, each: 1, in_all: 2 };
pub(super) const TWO_BY_TWO: Size = Size { roles: 2, each: 2, in_all: 4 };
/// Two roles, of which one does one thing and the other two.
pub(super) const TWO_THREE: Size = Size { roles: 2, each: 2, in_all: 3 };
/// Two roles, three things each.
pub(super) const TWO_BY_THREE: Size = Size { roles: 2, each: 3, in_all: 6 };
/// Three roles that each do one thing, or one of them two.
pub(super) const THREE_FOUR: Size = Size { roles: 3, each: 2, in_all: 4 };
/// ... or two of them two.
pub(super) const THREE_FIVE: Size = Size { roles: 3, each: 2, in_all: 5 };
/// ... or all of them: a billion states and more, but for what is one step and done.
pub(super) const THREE_BY_TWO: Size = Size { roles: 3, each: 2, in_all: 6 };
