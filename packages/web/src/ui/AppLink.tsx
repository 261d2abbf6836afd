import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { AnchorHTMLAttributes, Ref } from 'react'

type NativeAnchor = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof AnchorProps> & { ref?: Ref<HTMLAnchorElement> }
type NativeButton = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof ButtonProps> & { ref?: Ref<HTMLAnchorElement> }

/** A link in text whose target the type checker knows, so that no link of the product is dead. */
export const AppLink = createLink((props: AnchorProps & NativeAnchor) => <Anchor fz="inherit" {...props} />)

/** The same in the shape of a button. */
export const LinkButton = createLink((props: ButtonProps & NativeButton) => <Button component="a" {...props} />)
