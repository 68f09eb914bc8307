"""Files of labels: what they mean, and what is wrong with them."""

import pytest

from anyseek.errors import BadInput
from anyseek.tagging.vocabulary import Label, Sense, TagVocabulary
from anyseek.types import Modality

SEEN, HEARD = frozenset({Sense.SEEN}), frozenset({Sense.HEARD})
BOTH = SEEN | HEARD


def parsed(text):
    return TagVocabulary.parse("mine.txt", text).labels


def test_a_file_of_plain_labels_is_asked_of_what_is_seen_and_heard():
    assert parsed("# my labels\n\n  dog \nice   cream\n") == (Label("dog", "dog", BOTH), Label("ice cream", "ice cream", BOTH))


def test_groups_say_which_sense_a_label_is_for_and_what_is_asked_of_it():
    text = "[objects]\ncat\n[ Scenes ]\nbeach\n[sounds]\nrain\n[moods]\ncalm\n[ birds : heard ]\nowl\n[x: heard,seen]\nstorm\n"
    assert parsed(text) == (
        Label("cat", "a photo of cat", SEEN),
        Label("beach", "a photo of beach", SEEN),
        Label("rain", "the sound of rain", HEARD),
        Label("calm", "calm", BOTH),
        Label("owl", "the sound of owl", HEARD),
        Label("storm", "storm", BOTH),
    )


def test_what_stands_behind_a_tab_or_an_equals_sign_is_asked_as_it_stands():
    text = "[objects]\nbat = a bat, the animal\nclub\ta golf club = a stick\na=b\n"
    assert [(label.text, label.asked) for label in parsed(text)] == [
        ("bat", "a bat, the animal"),
        ("club", "a golf club = a stick"),
        ("a=b", "a photo of a=b"),
    ]


def test_one_label_may_be_seen_and_heard_but_not_twice_by_one_sense():
    assert [label.modalities for label in parsed("[objects]\ndog\n[sounds]\nDog\n")] == [
        {Modality.IMAGE, Modality.VIDEO},
        {Modality.AUDIO},
    ]
    with pytest.raises(BadInput, match=r"mine\.txt, line 4: 'DOG' is in line 2 already"):
        parsed("[objects]\ndog\n[moods]\nDOG\n")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no labels"),
        ("# nothing\n[objects]\n", "has no labels"),
        ("[objects\ndog", r"line 1: '\[objects' is no group"),
        ("[]\ndog", r"line 1: '\[\]' is no group"),
        ("[pets: smelt]\ndog", "line 1: 'smelt' is no sense"),
        ("[pets: ]\ndog", "line 1: '' is no sense"),
        ("dog\t\n", "line 1: a label or what is asked for it is empty"),
        ("cat\n\t a dog\n", "line 2: a label or what is asked for it is empty"),
        ("dog = ", "line 1: a label or what is asked for it is empty"),
        (" = dog", "line 1: a label or what is asked for it is empty"),
        ("x" * 101, "line 1: a label has 101 characters and may have 100"),
        ("dog = " + "x" * 301, "line 1: what is asked has 301 characters and may have 300"),
        ("do\x07g", "line 1: there are control characters"),
        ("\n".join(map(str, range(10_001))), "has 10,001 labels and may have 10,000"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, complaint):
    with pytest.raises(BadInput, match=complaint):
        parsed(text)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(BadInput, match=r"the vocabulary .*none\.txt cannot be read \(No such file"):
        TagVocabulary.named(str(tmp_path / "none.txt"))
    latin = tmp_path / "latin.txt"
    latin.write_bytes("dog\ncaf\xe9\n".encode("latin-1"))
    with pytest.raises(BadInput, match=r"latin\.txt is not text in UTF-8 \(byte 7\)"):
        TagVocabulary.named(latin)


def test_a_file_with_a_mark_of_its_byte_order_is_read(tmp_path):
    path = tmp_path / "pets.txt"
    path.write_text("\ufeffdog\r\ncat\r\n", encoding="utf-8")
    vocabulary = TagVocabulary.named(str(path))
    assert (vocabulary.name, [label.text for label in vocabulary.labels]) == ("pets.txt", ["dog", "cat"])


def test_the_digest_changes_with_all_that_is_asked_and_with_nothing_else():
    texts = ["[objects]\ndog", "[objects]\ncat", "[sounds]\ndog", "[objects]\ndog = a dog", "[objects]\ndog\ncat"]
    assert len({TagVocabulary.parse("x", text).digest for text in texts}) == len(texts)
    assert TagVocabulary.parse("x", "# hello\n[objects]\n\n dog ").digest == TagVocabulary.parse("y", "[objects]\ndog").digest


def test_the_builtin_vocabulary_is_one():
    vocabulary = TagVocabulary.named("builtin")
    assert vocabulary.name == "builtin"
    counts = [sum(label.senses == senses for label in vocabulary.labels) for senses in (SEEN, HEARD, BOTH)]
    assert counts[0] > 500
    assert counts[1] > 80
    assert counts[2] > 10


def test_a_file_without_end_is_not_read_to_its_end(tmp_path):
    (tmp_path / "endless.txt").write_bytes(b"\n" * (16 * 2**20 + 1))
    with pytest.raises(BadInput, match="larger than 16 MiB"):
        TagVocabulary.named(tmp_path / "endless.txt")


def test_a_file_cannot_be_called_as_the_builtin_is(tmp_path):
    (tmp_path / "builtin").write_text("dog")
    with pytest.raises(BadInput, match="rename it"):
        TagVocabulary.named(tmp_path / "builtin")
    with pytest.raises(BadInput, match="no vocabulary is named"):
        TagVocabulary.named("")
