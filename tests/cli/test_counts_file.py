"""A CSV of counts: every line is read as it stands, or named with what is wrong about it."""

import pytest

from sluice_cli import counts_file
from sluice_cli.errors import WrongUse


def read(text):
    return counts_file.read(text.splitlines(keepends=True))


@pytest.mark.parametrize("header", ["", "type,id,count\n", "type, id, count\n"])
def test_counts_are_read_with_or_without_a_header(header):
    lines = read(f"{header}story,123,5000\nvideo,abc-1,0\n")

    assert [line.row() for line in lines] == [
        {"content_type": "story", "content_id": "123", "count": 5000},
        {"content_type": "video", "content_id": "abc-1", "count": 0},
    ]
    assert [line.number for line in lines] == ([2, 3] if header else [1, 2])


def test_quotes_spaces_after_commas_blank_lines_and_windows_line_ends_are_taken():
    lines = read('"story", "123", 5000\r\n\r\nvideo,a,1\r\n')

    assert [(line.number, line.content_id, line.count) for line in lines] == [(1, "123", 5000), (3, "a", 1)]


def test_types_are_taken_as_they_stand():
    """S2-1's plurals are not mapped: the installation says which types there are."""
    assert [line.content_type for line in read("fantasies,1,5\nfantasy,1,5\n")] == ["fantasies", "fantasy"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("story,1", "it has 2 fields, not type,id,count"),
        ("story,1,5,6", "it has 4 fields, not type,id,count"),
        (",1,5", "the type is missing"),
        ("story,,5", "the id '' is not"),
        ("story,a b,5", "the id 'a b' is not"),
        ("story,-a,5", "the id '-a' is not"),
        (f"story,{'a' * 129},5", "the id 'aaa"),
        ("story,1,-5", "the count '-5' is not a whole number from 0 to 1,000,000,000,000"),
        ("story,1,5.0", "the count '5.0' is not"),
        ("story,1,", "the count '' is not"),
        ("story,1,1e3", "the count '1e3' is not"),
        ('story,1,"1,000"', "the count '1,000' is not"),
        ("story,1,1000000000001", "the count '1000000000001' is not"),
        ("story,1,\u0665", "the count '\u0665' is not"),
        ("type,id,count", "the count 'count' is not"),
        ("story,0,5", "story 0 is in line 1 already"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(line, problem):
    with pytest.raises(WrongUse) as raised:
        read(f"story,0,5\n{line}\nstory,2,5\n")

    assert raised.value.message == "Nothing was imported."
    assert raised.value.more[0].startswith(f"line 2: {problem}")


def test_all_wrong_lines_are_named_up_to_twenty():
    with pytest.raises(WrongUse) as raised:
        read("".join(f"story,{number},x\n" for number in range(25)))

    assert len(raised.value.more) == 20 + 1
    assert raised.value.more[-1] == "and 5 more"


@pytest.mark.parametrize("text", ["", "\n\n", "type,id,count\n"])
def test_a_file_without_counts_is_refused(text):
    with pytest.raises(WrongUse) as raised:
        read(text)

    assert raised.value.more == ("there is no count in it",)


def test_what_is_not_csv_is_named_by_its_line():
    with pytest.raises(WrongUse) as raised:
        read('story,1,5\nstory,"2" ,5\n')

    assert raised.value.more[0].startswith("line 2 is not CSV")


def test_the_largest_count_is_taken():
    assert read("story,1,1000000000000\n")[0].count == 10**12


def test_the_digest_is_of_the_counts_in_their_order_and_not_of_how_they_are_written():
    one, other = "a,1,5\na,2,6\n", "a,2,6\na,1,5\n"

    assert counts_file.digest(read(one)) == counts_file.digest(read('type,id,count\r\n"a",1,05\r\n\r\na,2,6'))
    assert counts_file.digest(read(one)) != counts_file.digest(read(other))
