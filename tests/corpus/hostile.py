from tests.corpus.item import Hostile
def hostile() -> list[Hostile]:
    return []
