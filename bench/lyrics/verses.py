"""Verses of our own with one theme each, on which the wordings of `recsys.lyrics.themes` were chosen."""

from typing import NamedTuple


class Verse(NamedTuple):
    """A verse: its language, its theme ('' for none of them), and its lines."""

    language: str
    theme: str
    text: str


def _verses(language: str, listed: str) -> list[Verse]:
    """Read blocks of a theme in brackets and its lines."""
    blocks = [block.strip().split("\n", 1) for block in listed.strip().split("\n\n")]
    return [Verse(language, theme.strip("[]"), text) for theme, text in blocks]


ENGLISH = """
[love]
Put your hand in mine and say you'll stay
I have never felt so warm as I feel today
Kiss me slowly underneath the willow tree
You are everything that I will ever need

[love]
When you smile my knees go weak
I lose the words I want to speak
Oh honey, come a little closer now
I want to be with you and I'll show you how

[love]
She wears my ring, she wears my name
Since I met her nothing is the same
My heart is drumming when she walks into the room
Two sweethearts slowly spinning like the flowers in bloom

[love]
I fell for you before you even knew
There is no other girl, there's only you
Hold me tight until the end of time
I'm yours, my love, and you are mine

[loss]
Your coat is hanging where you left it by the door
I set the table for two and then remember you don't live here anymore
I'd give it all to hear you laugh again
But all that's left of us is the ache and the rain

[loss]
She said it's over and she walked away
I had a thousand things I meant to say
Now I am drowning in the tears I cried
A part of me packed up with her and died

[loss]
We laid you down beneath the stone in May
I never got to tell you what I meant to say
Old friend, the world is colder since you died
I wear your watch and keep the hurt inside

[loss]
I keep your letters though I know you're gone
I tell my friends that I am moving on
But every song reminds me of your face
Nobody else can ever take your place

[party]
Hey DJ, play that record one more time
We're on the floor, we're looking fine
Hands up, shake it, feel the bass
Put a big old smile on every face

[party]
It's Friday and the gang is coming round
We've got the speakers and we've got the sound
Bring the bottles, bring your cousins too
We'll dance until the ceiling's breaking through

[party]
Jump, jump, everybody in the club
Confetti flying and we can't get enough
Pop the champagne, spin around
Let's get louder, shake the ground

[party]
Come on and move it to the left and to the right
We came to celebrate, we're feeling alright
Glasses in the air and sing along
The party isn't over till they play our song

[protest]
They build their walls and call it peace
They send the soldiers, send the police
We carry banners, we carry names
We won't be quiet till something's changed

[protest]
Mister president, look me in the eye
Tell the mothers why their sons must die
Your war is making rich men richer still
And we who pay are buried on the hill

[protest]
Raise your voice and raise your fist
We are the people that the system missed
Equal pay and equal rights for all
Brick by brick we tear down the wall

[protest]
No justice and no peace inside these streets
They beat us down for marching with our feet
The law was written by the ones who own
A thousand voices shouting at the throne

[faith]
Lord, I was blind and wandering in sin
You opened up the gate and let me in
Your mercy washes over me like rain
Hallelujah, blessed be your name

[faith]
On Sunday morning in the wooden pew
I close my eyes and give my soul to you
Oh Father, guide me through the narrow gate
In your holy arms I lay my weight

[faith]
I fell down on my knees and prayed
And Jesus took the debt that I had made
The angels sing around the golden throne
I know that I will never walk alone

[faith]
When the devil whispers, I will read the Word
Every prayer I ever made was heard
Salvation came and carried me to shore
I'll praise the King of Kings forevermore

[money]
Stacks on the table, gold around my wrist
Another million, add it to the list
I buy the cars, I buy the rings
Cash makes kings of little things

[money]
The rent is due and I am out of luck
I can't even put the gas inside the truck
The bank keeps calling and the debts grow tall
A dollar and a quarter, baby, that is all

[money]
He sold his soul for silver and a name
A bigger wallet is the only game
Everything he owns is tagged and priced
He's counting coins and never counted twice

[money]
I clock in early and I clock out late
The boss gets rich, the worker has to wait
Payday's coming but it's gone by noon
Bills in the mailbox, bigger ones soon

[road]
Sixteen wheels and a thermos by my side
White lines flashing on a thousand-mile ride
The radio's crackling somewhere out of range
Next exit, next diner, nothing but change

[road]
I bought a one-way ticket, grabbed my bag
I'm leaving on the train with just a jacket and a flag
Behind me is the town where I was born
I'll see the other ocean in the morn

[road]
Windows down, the map is on the floor
We never know what we are heading for
Keep on driving, let the engine hum
We'll be a hundred miles away before they come

[road]
I've walked this highway in my worn-out shoes
From state to state with nothing left to lose
Thumb in the air, a stranger stops for me
Another day, another city I won't see

[nature]
The river bends where silver birches grow
The mountain wears a early coat of snow
A hawk is circling high above the pine
The morning fog is climbing up the vine

[nature]
Green is the valley after April rain
The wild geese are flying north again
Honeybees are humming in the clover
Spring has come and winter's finally over

[nature]
Salt in the wind and seagulls on the sand
The tide is pulling shells out of my hand
Waves roll in and waves roll out to sea
The ocean breathes, it's older than the tree

[nature]
Leaves turn to amber and fall on the lake
Deep in the forest the foxes awake
Thunder is rolling across the wide plain
The earth and the roots are drinking the rain

[family]
Mama sang to me while she was hanging clothes
Papa taught me everything he knows
My sister braided ribbons in her hair
We had so little, but they were always there

[family]
My little boy, you're taller than the chair
I see your grandpa in the way you comb your hair
One day you'll have a daughter of your own
And tell her all the stories of our home

[family]
Thanksgiving dinner, cousins on the floor
My uncle telling jokes we've heard before
Grandmother's recipe and father's grace
My brother's got our mother's smiling face

[family]
Daddy worked the night shift at the mill
My mother held us tight when we were ill
She raised five kids with nothing but her hands
A parent's love is what I understand

[city]
Yellow taxis honking down on Seventh Street
Ten million people and the pavement's heat
Subway rumbling underneath my shoes
Towers of glass and newspaper news

[city]
I grew up on the corner of this block
Bodega lights and somebody's boombox
Concrete jungle, rooftops and the rails
Every stoop is full of neighborhood tales

[city]
Downtown traffic, scaffolding and steam
Elevators full of people chasing something unseen
Crowded sidewalks, nobody knows my name
In this metropolis all windows look the same

[city]
The bridges and the avenues, the market square
Street vendors selling pretzels in the smoky air
Skyscrapers leaning on a strip of sky
A million strangers always rushing by

[night]
The clock says two and I am wide awake
The moon is floating on the silent lake
Shadows crawling slowly up the wall
No one else is up, no one at all

[night]
Midnight comes and puts the sun to bed
A thousand stars are burning overhead
The dark is like a blanket on the ground
Only crickets make a little sound

[night]
After sundown when the lamps are lit
In the evening on the porch we sit
Darkness falls and fireflies appear
The moonlight tells us that the night is here

[night]
I can't sleep, I'm staring at the ceiling again
It's quarter past four and I'm waiting for when
The dawn will break and chase the dark away
Another night has swallowed up the day

[dreams]
They told me that I'd never make it far
But one day I will be a shining star
I'm reaching for the top, I won't give in
I close my eyes and I can see me win

[dreams]
I had a vision of a better place
Where nobody is judged by name or race
I keep imagining that it comes true
The future's open, it is up to you

[dreams]
Chase it, don't you ever let it go
You can be more than anyone would know
I'll climb until I stand upon the peak
I found the dream that I was born to seek

[dreams]
When I was small I wished to learn to fly
I drew my wings and hung them in the sky
I still believe that wishes can come true
Keep on hoping, someday I will too

[]
I put the kettle on and read the news
The cat has slept on top of both my shoes
I wrote a list and then I lost the pen
It's Tuesday and I'll do it all again

[]
Check the mic, my rhyme is sharper than a blade
I spit the fastest verses ever made
You other rappers better take a seat
Nobody flows like me across this beat

[]
Na na na na, hey hey hey
Doo doo doo, what did you say
Oh oh oh, uh huh, yeah yeah
Na na na, there and there

[]
The doctor wrote a number on my chart
He said I should eat less and skip the tart
I chew my carrots and I count to ten
I'll have a sandwich, just remind me when
"""
GERMAN = """
[love]
Ich liebe dich, mein Herz gehört nur dir
Küss mich noch einmal und bleib hier bei mir

[loss]
Du bist gegangen und ich weine jede Nacht
Ich vermisse dich und alles, was uns glücklich gemacht

[party]
Wir tanzen die ganze Nacht im Club
Hände hoch, die Musik ist laut genug

[protest]
Wir gehen auf die Straße gegen Krieg und Gewalt
Gerechtigkeit für alle, die Mächtigen sind kalt

[faith]
Herr, erbarme dich, ich bete zu dir
Gott im Himmel, halt deine Hand über mir

[money]
Ich zähle mein Geld, die Scheine und das Gold
Teure Autos, ich habe es immer gewollt

[road]
Ich fahre auf der Autobahn Kilometer um Kilometer
Der Koffer ist gepackt, zurück komme ich später

[nature]
Die Vögel singen im grünen Wald
Der Fluss fließt ins Tal, der Bergwind ist kalt

[family]
Meine Mutter und mein Vater haben mich großgezogen
Mein kleiner Bruder hat mich nie belogen

[city]
Hochhäuser und U-Bahn, der Verkehr steht still
Millionen Menschen in der Großstadt, jeder macht was er will

[night]
Es ist Mitternacht und der Mond steht am Himmel
Dunkle Schatten und kein Gewimmel

[dreams]
Glaub an deinen Traum und gib niemals auf
Eines Tages bist du oben, nimm es in Kauf
"""
SPANISH = """
[love]
Te quiero, mi amor, bésame otra vez
Tú eres mi vida, mi cielo y mi miel

[loss]
Te fuiste y me dejaste llorando sin ti
Mi corazón está roto, ya no puedo vivir

[party]
Esta fiesta no para, todos a bailar
Manos arriba, la música va a sonar

[protest]
El pueblo marcha en las calles por la libertad
No más guerra, no más mentiras, queremos igualdad

[faith]
Señor, te alabo, escucha mi oración
Dios está en mi alma y en mi corazón

[money]
Tengo dinero, oro y diamantes en el reloj
Cuento los billetes, el banco soy yo

[road]
Voy manejando por la carretera sin parar
Con mi maleta en el tren, muy lejos voy a llegar

[nature]
El río baja cantando de la montaña al mar
Las flores del campo y los pájaros al volar

[family]
Mi madre y mi padre me enseñaron a andar
Mis hermanos, mi abuela, todos en el hogar

[city]
Rascacielos y metro, el tráfico en la avenida
La gran ciudad llena de gente, así es la vida

[night]
Es medianoche, la luna brilla en la oscuridad
No puedo dormir, las estrellas me miran ya

[dreams]
Sigue tus sueños, nunca dejes de luchar
Un día serás una estrella, vas a triunfar
"""
FRENCH = """
[love]
Je t'aime mon amour, embrasse-moi encore
Tu es toute ma vie, serre-moi plus fort

[loss]
Tu es partie et je pleure seul dans le noir
Mon coeur est brisé, il ne reste plus d'espoir

[party]
On danse toute la soirée, la musique est à fond
Levez les mains en l'air, faites la fête, allons

[protest]
Le peuple descend dans la rue pour la justice
Contre la guerre et le pouvoir et la police

[faith]
Seigneur, je prie, écoute ma voix
Dieu, pardonne-moi, je porte ma croix

[money]
Je compte mes billets, l'argent et les diamants
Des voitures de luxe, je suis riche maintenant

[road]
Je roule sur la route, kilomètre après kilomètre
La valise est prête, le train part, je vais disparaître

[nature]
Les oiseaux chantent dans la forêt au printemps
La rivière coule, les fleurs dansent dans le vent

[family]
Ma mère et mon père m'ont tout appris
Mes frères et ma soeur, toute la famille réunie

[city]
Les gratte-ciel, le métro, la foule sur les boulevards
Dans la grande ville les voitures roulent jusqu'au soir

[night]
Il est minuit, la lune éclaire les toits
Je ne dors pas, l'obscurité autour de moi

[dreams]
Crois en tes rêves, n'abandonne jamais
Un jour tu seras grand, tout ce que tu voulais
"""
VERSES = [
    verse
    for language, listed in (("en", ENGLISH), ("de", GERMAN), ("es", SPANISH), ("fr", FRENCH))
    for verse in _verses(language, listed)
]
