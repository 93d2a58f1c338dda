from tests.corpus.item import Item
def valid() -> list[Item]:
    return []
