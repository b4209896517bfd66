/* Who acts when a command works on the state folder itself: whoever may write there is taken at the word of the system. */
#ifndef BONDGATE_CMD_PERSON_H
#define BONDGATE_CMD_PERSON_H

enum { PERSON_TEXT = 80 };

/* "local:USER" of the user whose rights the command has. */
void local_person(char out[static PERSON_TEXT]);

#endif
