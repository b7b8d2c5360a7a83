"""Writes `workreef_app/services/access/common_passwords.txt`: passwords that are tried first, and are long enough.

Public lists of the most used passwords (SplashData, NCSC, "rockyou") hold few of twelve characters or more, since
people lengthen a short one when they must. So the list is made as they make them: the well-known heads of those lists,
doubled, joined, and with the endings that people add; and the long ones that stand in the lists themselves.

    python -m scripts.common_passwords
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MINIMUM = 12
FILE = Path(__file__).parent.parent / "workreef_app" / "services" / "access" / "common_passwords.txt"
#: The heads of the public lists: words, names, teams and keys beside each other.
BASES = """
password passw0rd p@ssword p@ssw0rd pa55word pass password1 qwerty qwertyuiop qwert asdfgh asdfghjkl zxcvbn zxcvbnm
qazwsx qazwsxedc 1qaz2wsx 1q2w3e4r 1q2w3e4r5t q1w2e3r4 qweasd qweasdzxc asdf abc123 abcd1234 abcdef abcdefg abcdefgh
letmein welcome welcome1 admin administrator root toor login access master secret changeme change guest user test
testing temp temporary default system server database oracle cisco windows microsoft google facebook linkedin adobe
iloveyou loveme lovely love sunshine princess dragon monkey shadow superman batman spiderman ironman football baseball
basketball soccer hockey golfer tennis arsenal chelsea liverpool barcelona realmadrid juventus manutd rangers celtic
cowboys steelers yankees lakers charlie michael jennifer jessica ashley daniel andrew joshua matthew anthony william
robert thomas jordan hunter harley george nicole amanda melissa michelle patrick justin samantha alexander benjamin
christian elizabeth victoria natasha maggie buster tigger ginger pepper cookie chocolate banana orange cheese butter
coffee summer winter spring autumn january february march april june july august september october november december
monday tuesday wednesday thursday friday saturday sunday london paris berlin madrid newyork chicago boston austin
dallas phoenix america england france germany canada mexico brazil india china japan australia company business office
manager finance service support helpdesk internet computer laptop network security freedom whatever trustno1 starwars
pokemon naruto minecraft fortnite mustang ferrari porsche mercedes corvette camaro yamaha honda toyota killer hacker
matrix ninja samurai warrior wizard phantom falcon eagle tiger panther dolphin butterfly flower rainbow diamond silver
golden purple yellow blue green black white red hello hello123 goodbye happy blessed jesus angel heaven faith family
mother father brother sister baby computer1 letmein1 monkey1 dragon1 super hottie biteme mylove forever always
""".split()  # noqa: SIM905
ENDINGS = """
1 12 123 1234 12345 123456 1234567 12345678 123456789 1234567890 0 00 000 111 1111 321 4321 654321 007 69 99 666 777
2000 2010 2015 2018 2019 2020 2021 2022 2023 2024 2025 2026 ! !! !!! 1! 12! 123! 1234! 12345! 123456! @ @1 @12 @123
@1234 #1 #123 $1 $123 * . .1 .123 _1 _123 2020! 2021! 2022! 2023! 2024! 2025! 2026! @2023 @2024 @2025 @2026
""".split()  # noqa: SIM905
#: Long ones that stand in the lists as they are, or everybody knows.
LONG = """
123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 12345678901234567890 098765432109
0987654321098765 123412341234 121212121212 123123123123 123321123321 112233445566 11223344556677 111122223333
1111222233334444 147258369147 147258369000 741852963741 159753159753 159357159357 789456123789 qwertyuiop12
qwertyuiop123 qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm qwertyqwerty asdfghjklasdfghjkl asdfasdfasdf
asdfghjkl123 zxcvbnmzxcvbnm 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc 1qaz@wsx3edc !qaz2wsx#edc zaq12wsxcde3
zaq1xsw2cde3 qazwsxedcrfv qazwsxedcrfvtgb qweqweqweqwe qwe123qwe123 q1w2e3r4t5y6 q1w2e3r4t5y6u7 1q2w3e4r5t6y
1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1a2b3c4d5e6f a1b2c3d4e5f6 abc123abc123 abcdefghijkl abcdefghijklm abcdefghijklmn
abcdefghijklmnop abcdefghijklmnopqrstuvwxyz abcd1234abcd1234 aaaabbbbcccc passwordpassword password123password
mypassword12 mypassword123 mypassword1234 thisismypassword thisisapassword thisismypasswd newpassword1 newpassword12
newpassword123 yourpassword oldpassword1 nopassword12 letmeinplease letmeinletmein letmeinnow123
iloveyouiloveyou iloveyou1234 iloveyou12345 iloveyouforever iloveyousomuch iloveyoubaby iloveyoubabe ilovemyself
ilovemymother ilovemymom123 ilovemyfamily ilovejesus12 jesuslovesme jesusislord1 jesusischrist godisgood123
godislove1234 trustnoone12 trustnobody1 opensesame12 opensesame123 correcthorsebatterystaple
correct-horse-battery-staple changeme1234 changemenow1 changemenow! changeit1234
administrator administrator1 administrator123 administrator! adminadmin12 adminadmin123 adminpassword admin123admin
rootpassword rootroot1234 secretpassword topsecret123 supersecret1 supersecret123 supersecretpassword welcomehome1
welcometo123 welcomewelcome manchester12 manchesterunited manchestercity liverpoolfc1 liverpoolfc123 chelseafc123
arsenalfc123 realmadrid12 barcelonafc1 fcbarcelona1 footballfootball basketball12 basketball123 baseballbaseball
chocolate123 chocolatecake butterfly123 butterflies1 strawberry12 strawberry123 sunshine1234 sunshinesunshine
princess1234 princessprincess superman1234 spiderman123 batmanbatman starwars1234 maytheforcebewithyou
harrypotter1 harrypotter123 lordoftherings playstation1 playstation2 playstation3 playstation4 playstation5
counterstrike callofduty12 leagueoflegends worldofwarcraft minecraft123 skateboarding snowboarding1 cheerleader1
cheerleader12 photography1 motorcycle12 alexander123 christopher1 christopher12 christopher123 christopher!
elizabeth123 elizabeth1234 stephanie123 stephanie1234 jacqueline12 michaeljordan michaeljackson francesco123
alessandro12 alessandra12 sebastian123 maximilian12 computer1234 internet1234 microsoft123 windows10pro1 facebook1234
1234qwerasdf qwerasdf1234 qwerasdfzxcv 123qweasdzxc qweasdzxc123 asdqwe123456 147896325000 789456123000 0123456789ab
000000000000 111111111111 222222222222 999999999999 aaaaaaaaaaaa 987654321000 9876543210123 00112233445566778899
""".split()  # noqa: SIM905


def made() -> Iterator[str]:
    """Every password, as people make them."""
    yield from LONG
    for base in BASES:
        yield base * 2
        yield base * 3
        for ending in ENDINGS:
            yield base + ending
            if ending.isdigit():
                yield ending + base


def text() -> str:
    """The file's text."""
    found = sorted({word for word in made() if len(word) >= MINIMUM and word.isascii()})
    head = (
        "# Common passwords of twelve characters or more, in lower case. Made by `python -m scripts.common_passwords`\n"
        "# of the well-known heads of public lists of most used passwords, as people lengthen them.\n"
    )
    return head + "\n".join(found) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
