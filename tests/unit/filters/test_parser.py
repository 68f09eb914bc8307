"""The language of filters: what is read, what is refused and how, and that a condition prints as what reads as itself."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyseek.errors import BadFilter
from anyseek.filters import And, Comparison, Condition, Not, Operator, Or, all_of, any_of, parse
from anyseek.filters.fields import FIELDS, is_field

IMAGE = Comparison("kind", Operator.HAS, "image")
SOUND = Comparison("kind", Operator.HAS, "audio")
RATED = Comparison("rating", Operator.AT_LEAST, "3")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind:image", IMAGE),
        ("  kind : image ", IMAGE),
        ("KIND:image", IMAGE),
        ('kind:"image"', IMAGE),
        ("rating>=3", RATED),
        ("rating:>=3", RATED),
        ("stars >= 3", RATED),
        ("rating!=3", Not(Comparison("rating", Operator.EQUAL, "3"))),
        ("kind:image rating>=3", And((IMAGE, RATED))),
        ("kind:image and rating>=3", And((IMAGE, RATED))),
        ("kind:image AND rating>=3", And((IMAGE, RATED))),
        ("kind:image\n\trating>=3", And((IMAGE, RATED))),
        ("kind:image or kind:audio rating>=3", Or((IMAGE, And((SOUND, RATED))))),
        ("(kind:image or kind:audio) rating>=3", And((Or((IMAGE, SOUND)), RATED))),
        ("kind:image or kind:audio or rating>=3", Or((IMAGE, SOUND, RATED))),
        ("not kind:image", Not(IMAGE)),
        ("-kind:image", Not(IMAGE)),
        ("- kind:image -rating>=3", And((Not(IMAGE), Not(RATED)))),
        ("not(kind:image or kind:audio)", Not(Or((IMAGE, SOUND)))),
        ("not not kind:image", Not(Not(IMAGE))),
        ("((kind:image))", IMAGE),
        ("keyword:and", Comparison("keyword", Operator.HAS, "and")),
        ("keyword:or or keyword:not", Or((Comparison("keyword", Operator.HAS, "or"), Comparison("keyword", Operator.HAS, "not")))),
        (r'title:"say \"cheese\" \\ now"', Comparison("title", Operator.HAS, r'say "cheese" \ now')),
        ("title:Größe", Comparison("title", Operator.HAS, "Größe")),
        ("title:夕焼け", Comparison("title", Operator.HAS, "夕焼け")),
        ("duration:1:30", Comparison("duration", Operator.HAS, "1:30")),
        ("tag:dog>=0.7", Comparison("tag", Operator.HAS, "dog", (Operator.AT_LEAST, "0.7"))),
        ("meta.project=x", Comparison("meta.project", Operator.EQUAL, "x")),
        ('meta."shot by":an*', Comparison("meta.shot by", Operator.HAS, "an*")),
        ("meta.a.b:1", Comparison("meta.a.b", Operator.HAS, "1")),
    ],
)
def test_reads(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("rateing:3", 1, "there is no field 'rateing': did you mean rating?"),
        ("kind:image   keywort:x", 14, "did you mean keyword?"),
        ("zzz:1", 1, "there is no field 'zzz': use one of kind, path, "),
        ("zzz:1", 1, "meta.KEY, and  meta.zzz  for a value of your own"),
        ("meta:1", 1, "did you mean meta.KEY?"),
        ("landscape", 1, "'landscape' stands alone: write it as field:value"),
        ("kind:image landscape photos", 12, "'landscape' stands alone"),
        ("kind:picture", 6, "'picture' is none of image, audio, video"),
        ("kind>image", 6, "kind has no order to compare by >: write it as  kind:image"),
        ("title:", 6, "nothing stands behind ':'"),
        ('title:""', 7, "nothing stands behind the operator"),
        ('title:"abc', 7, "a quote is not closed"),
        ("title:)", 7, "')' cannot begin a value"),
        ("title:a=b", 7, "only tags have one"),
        ("tag:dog=0.7", 5, "cannot be matched exactly"),
        ("tag:dog>7", 5, "use a number from 0 to 1"),
        ("(kind:image", 12, "it ends too early: close the parenthesis"),
        ("kind:image and", 15, "it ends too early"),
        ("kind:image)", 11, "a parenthesis is closed that was never opened"),
        ("()", 2, "holds nothing"),
        ("kind:image | kind:audio", 12, "'|' cannot stand here"),
        ("rating>three", 8, "'three' is no number: write it as  3  or  2.5"),
        ("rating>1..3", 8, "a range cannot stand behind >"),
        ("rating:..", 8, "a range needs a start or an end"),
        ("rating:1e5", 8, "is no number"),
        ("rating:5..3", 8, "the range ends at 3, before it begins at 5: write the smaller one first"),
        ("date:2024..2023-12", 6, "the range ends with 2023-12, before it begins with 2024: write the earlier one first"),
        ("rating:٣", 8, "is no number"),
        ("width:" + "9" * 400, 7, "is too long a number"),
        ("size:5Mb5", 6, "is no size: write it as  500kB, 5MB  or  1.5GiB"),
        ("duration:1:3", 10, "is no duration: write it as  10s, 1:30, 2min  or  1h30min"),
        ("date:2024-13", 6, "'2024-13' is no date (month must be in 1..12)"),
        ("date:yesterday", 6, "is no date: write it as  2024, 2024-05"),
        ("date>9999", 6, "no date comes after 9999"),
        ("date:0000", 6, "is no date"),
        ("near:Berlin", 6, 'write it as  "52.5,13.4 10km"'),
        ("near:95,13,1km", 6, "'95' is no latitude: write degrees from -90 to 90"),
        ("within:1,2,3", 8, 'write it as  "47.2,5.8,55.1,15.1"'),
        ("within:50,0,40,1", 8, "the south of the box, 50, lies north of 40"),
        ("title:\0", 7, "characters that are no text"),
        ("title:\udcff", 7, "characters that are no text"),
    ],
)
def test_errors_point_at_the_column_and_name_the_remedy(text, column, said):
    with pytest.raises(BadFilter) as refused:
        parse(text)
    assert refused.value.column == column
    assert said in refused.value.reason
    assert str(refused.value).startswith(f"the filter is wrong at column {column}: ")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_filter_is_no_filter(text):
    with pytest.raises(BadFilter, match="it is empty"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 100_000, "it has 100,000 characters and may have 20,000"),
        ("(" * 20_000, "it ends too early"),
        ("-" * 10_000 + "kind:image", "more than 20 levels deep"),
        ("not " * 4_000 + "kind:image", "more than 20 levels deep"),
        ("-(" * 3_000 + "kind:image" + ")" * 3_000, "more than 20 levels deep"),
        ("(" * 900 + "kind:image" + " or kind:audio)" * 900, "more than 20 levels deep"),
        (" or ".join(["kind:image"] * 201), "it has 201 comparisons and may have 200"),
        ('"' * 19_999, "cannot stand here"),
        ("kind:image " * 1_500, "it has 1500 comparisons"),
        ("meta." + "a." * 9_000, "cannot stand here|stands alone"),
    ],
)
def test_hostile_texts_are_refused_at_once(text, said):
    started = time.process_time()
    with pytest.raises(BadFilter, match=said):
        parse(text)
    assert time.process_time() - started < 2


def test_needless_parentheses_are_no_depth():
    assert parse("(" * 3_000 + "kind:image" + ")" * 3_000) == IMAGE


def test_the_largest_condition_is_read():
    assert len(parse(" or ".join(["kind:image"] * 200)).parts) == 200
    assert str(parse("not " * 19 + "kind:image")).count("not") == 19


def test_none_of_several_is_none():
    assert all_of([]) is any_of([]) is None
    assert all_of([IMAGE]) == any_of([IMAGE]) == IMAGE
    assert all_of([IMAGE, RATED]) == And((IMAGE, RATED))
    assert any_of([IMAGE, RATED]) == Or((IMAGE, RATED))


def test_conditions_are_values():
    assert len({parse("kind:image rating>=3"), parse("kind:image and rating>=3"), parse("kind:audio")}) == 2


def test_what_is_built_by_hand_is_checked_too():
    with pytest.raises(BadFilter, match="did you mean rating"):
        Comparison("rateing", Operator.HAS, "3")


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_examples_of_the_table_are_of_their_field(field):
    for example in field.examples:
        condition = parse(example)
        comparison = condition.part if isinstance(condition, Not) else condition
        assert isinstance(comparison, Comparison)
        assert comparison.field == field.name or (field.name == "meta.KEY" and comparison.field.startswith("meta."))
        assert comparison.operator in field.operators
    assert is_field(field.name) or field.name == "meta.KEY"


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
orders = st.sampled_from(Operator)
same = st.sampled_from([Operator.HAS, Operator.EQUAL])
texts = st.builds(Comparison, st.sampled_from(["title", "artist", "camera", "keyword", "tag", "path", "format"]), same, words)
numbers = st.builds(Comparison, st.sampled_from(["rating", "width", "megapixels"]), orders, st.integers(0, 10**9).map(str))
ranges = st.builds(Comparison, st.just("size"), same, st.sampled_from(["..5MB", "1kB..2MiB", "3..", "1.5 GB"]))
dates = st.builds(Comparison, st.just("date"), orders, st.dates().map(lambda day: day.replace(year=max(day.year, 2) - 1).isoformat()))
tags = st.builds(Comparison, st.just("tag"), same, words, st.tuples(st.sampled_from([Operator.ABOVE, Operator.AT_MOST]), st.just("0.25")))
own = st.builds(Comparison, words.map(lambda key: f"meta.{key}"), same, words | st.just(""))


def several(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.builds(Not, inner) | st.builds(And, parts) | st.builds(Or, parts)


conditions = st.recursive(texts | numbers | ranges | dates | tags | own, several, max_leaves=12)


@settings(max_examples=400, deadline=None)
@given(conditions)
def test_a_condition_prints_as_what_reads_as_itself(condition: Condition):
    assert parse(str(condition)) == condition


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60) | st.text('kind:=<>!"\\() -andort.3*', max_size=60))
def test_any_text_is_read_or_refused(text):
    refused = None
    try:
        condition = parse(text)
    except BadFilter as error:
        refused = error
    if refused is None:
        assert parse(str(condition)) == condition
    elif refused.column is not None:
        assert 1 <= refused.column <= len(text) + 1
