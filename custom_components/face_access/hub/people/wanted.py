"""What a station shall know of the household: whoever may pass one of its doors, and whoever is to be turned away."""

from collections.abc import Iterator

from ...coordinator import FaceAccessCoordinator
from ...people.plan import Wanted
from ...people.store import PeopleStore
from .enrolments import Enrolments
from .identity import Identity


def wanted(coordinator: FaceAccessCoordinator, store: PeopleStore, identity: Identity) -> Iterator[Wanted]:
    """Find everybody whom a station shall know, as it is now.

    Nobody can be given to a station without a face or a card; one who came from there has them there.
    """
    there = {holding.person for holding in store.holdings(coordinator.serial).values()}
    enrolments = Enrolments(coordinator)
    for profile in tuple(store.profiles.values()):
        enrolment = enrolments.of(profile, identity.person(profile))
        if enrolment is not None and (profile.photos or profile.card is not None or profile.id in there):
            yield Wanted(person=profile.id, enrolment=enrolment, photos=profile.photos)
