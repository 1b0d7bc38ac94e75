/// Scripted conversations with a server over a real socket, and a server to have them with. Start
/// reading at [longhand.dialog.Dialog].
@NullMarked
package longhand.dialog;

import org.jspecify.annotations.NullMarked;
