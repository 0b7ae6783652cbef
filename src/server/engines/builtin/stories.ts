/** Stories to be told aloud, each between one and two minutes long. */
export const STORIES: readonly string[] = [
  'Here is the story of the lighthouse keeper. ' +
    'Once upon a time an old man kept a lighthouse at the end of a long, stony beach. ' +
    'Every evening he climbed two hundred steps, lit the lamp, and looked out over the dark water. ' +
    'He had done it for forty years, and nobody had ever come to thank him. ' +
    'One winter night the wind was so strong that the whole tower hummed like a flute. ' +
    'The old man sat beside the lamp and wondered whether anybody out there needed it. ' +
    'Perhaps, he thought, I could sleep just this once, and nobody would know. ' +
    'He put his hand on the switch, and then he saw it: a tiny light, far away, going up and down with the waves. ' +
    'So he stayed awake. He cleaned the glass again and again, because the salt made it blind. ' +
    'All night long the little light came closer, and at last it went past the rocks and into the harbor. ' +
    'In the morning somebody knocked at his door. It was a girl of about ten, in a coat that was much too big. ' +
    'She said: my father asked me to bring you this. It was a loaf of bread, still warm. ' +
    'He says that he steered by your lamp, the girl told him. And he says that his father did so too. ' +
    'The old man did not know what to answer, so he cut the bread in two and gave her the bigger half. ' +
    'They ate it at the top of the tower and watched the ships go out. ' +
    'From that day on he never again asked who needed the lamp. He simply lit it. ' +
    'And that is the end of the story.',
  'This is the story of the clock that went too slowly. ' +
    'In a small town there was a clock maker called Rosa, and in her window stood a clock that nobody wanted. ' +
    'It was a handsome clock, but it lost one minute every hour, whatever she did. ' +
    'She changed its spring, she oiled its wheels, she even talked to it. It stayed slow. ' +
    'One day a man ran into the shop. He was always in a hurry, and he was always early, and still he was never happy. ' +
    'I need a clock, he said, and quickly. Rosa had sold all the others, so she gave him the slow one. ' +
    'A week went by. The man missed a train, and had to wait an hour at the station. ' +
    'On the bench beside him sat a woman with a book, and they began to talk. ' +
    'In the second week he came late to a meeting, and found out that it had not been important. ' +
    'In the third week he burned his dinner, and his neighbors, who smelled it, invited him to theirs. ' +
    'After a month he came back to the shop, and this time he walked. ' +
    'Rosa was worried. I am sorry, she said, I know that it is slow, and you can have your money back. ' +
    'But the man shook his head. It is not slow, he said. All the others are too fast. ' +
    'And then he asked her to come to his wedding, with the woman from the bench. ' +
    'Rosa went, of course. She arrived a little late, and it was exactly the right time. ' +
    'That was the story of the slow clock.',
  'I will tell you about the fox and the snow. ' +
    'There was once a young fox who had never seen the winter. ' +
    'When the first snow fell she thought that the sky was coming down in pieces, and she hid under the root of an oak. ' +
    'An old owl sat in the tree and laughed. It is only snow, said the owl. It will not hurt you. ' +
    'But what is it for, asked the fox. The owl thought about that for a long time, because nobody had asked before. ' +
    'Come with me, said the owl at last, and flew from branch to branch, and the fox went after her. ' +
    'Look behind you, said the owl. The fox looked, and there was a long line of little feet in the snow. ' +
    'Somebody is following us, whispered the fox. The owl laughed again. That is you, she said. That is where you have been. ' +
    'The fox was delighted. She ran in a circle, and there was a circle. She jumped, and there was a hole. ' +
    'She wrote her whole morning into the meadow, and then she sat down and read it. ' +
    'Here I was afraid, she said. And here I was curious. And here I found out that it was me. ' +
    'In the night it snowed again, and in the morning the meadow was white and empty. ' +
    'The fox came running to the tree. It is all gone, she cried. Everything that I did is gone. ' +
    'No, said the owl. Now you know what snow is for. It is for beginning again. ' +
    'The fox looked at the meadow for a while. Then she took one careful step, and another one, and then she ran. ' +
    'And if nobody has stopped her, she is running still. That is the end.',
];

/** Short jokes that survive being read aloud. */
export const JOKES: readonly string[] = [
  'Why did the computer go to the doctor? Because it had caught a virus.',
  'I would tell you a joke about time travel, but you did not like it.',
  'Two microphones meet in a bar. Says the one: you look tired. Says the other: I have been up and down all day.',
  'Why was the math book sad? It had too many problems.',
  'I asked the librarian for a book about silence. She did not say a word.',
];
